import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openInProcessEventBus } from '../../adapters/in-process-event-bus.ts'
import type { EventBus } from '../../events/event-bus.ts'
import { eventAt, eventBusContract, recorder } from '../contracts/event-bus.contract.ts'
import { eventually, failureOf } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'

describe('in-process event bus', () => {
  const folder = temporaryFolder()
  let count = 0
  const errors: unknown[] = []
  const open = (markerPath: string): EventBus =>
    openInProcessEventBus({
      markerPath,
      onError: (error) => errors.push(error),
      firstRedeliveryMs: 1,
    })

  eventBusContract(async () => {
    count += 1
    const markerPath = join(folder, `bus-${count}`, 'marker')
    const bus = open(markerPath)
    return {
      bus,
      async reopen() {
        await bus.close()
        return open(markerPath)
      },
    }
  })

  it('holds the publisher up when a group has too much before it, and lets it go on', async () => {
    const bus = open(join(folder, 'backpressure'))
    let letGo: (() => void) | undefined
    const held = new Promise<void>((resolve) => {
      letGo = resolve
    })
    await bus.consume('slow', () => held)
    let published = 0
    const publishing = (async () => {
      for (let n = 0; n < 60; n += 1) {
        await bus.publish(Array.from({ length: 1_000 }, (_, i) => eventAt(n * 1_000 + i)))
        published += 1
      }
    })()
    await eventually(() => published >= 12, 'the queue is full')
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate)
    expect(published).to.be.below(16)
    letGo?.()
    await publishing
    expect(published).to.equal(60)
    await bus.close()
  })

  it('holds the publisher up when a few events weigh too much', async () => {
    const bus = open(join(folder, 'heavy'))
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
    await bus.consume('slow', () => held)
    const data = JSON.stringify('x'.repeat(5_000_000))
    let published = 0
    const publishing = (async () => {
      for (let n = 0; n < 20; n += 1) {
        await bus.publish([{ ...eventAt(n), data }])
        published += 1
      }
    })()
    await eventually(() => published >= 7, 'the queue is full')
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate)
    expect(published).to.be.below(10)
    letGo()
    await publishing
    await bus.close()
  })

  it('lets go of what a group misses that keeps failing, and tells it so', async () => {
    const bus = open(join(folder, 'failing'))
    const [healthy, failing] = [recorder(), recorder()]
    let isBroken = true
    await bus.consume('healthy', healthy.handle)
    await bus.consume('failing', async (delivery) => {
      if (isBroken) throw new Error('not now')
      await failing.handle(delivery)
    })
    const mark = (position: number) =>
      bus.mark({ logId: 'log', position: eventAt(position).position })
    for (let n = 0; n < 60; n += 1) {
      await bus.publish(Array.from({ length: 1_000 }, (_, i) => eventAt(n * 1_000 + i)))
    }
    await mark(59_999)
    await eventually(() => healthy.positions().length === 60_000, 'the other group has all')
    await eventually(() => healthy.markers().length === 1, 'and the marker')
    expect(await bus.lastMarker('log')).to.equal(undefined)

    isBroken = false
    await eventually(() => failing.deliveries.some(({ hasMissed }) => hasMissed), 'it is told')
    const [first, second] = failing.deliveries
    expect(first?.events[0]?.position).to.equal(eventAt(0).position)
    expect(first?.hasMissed).to.equal(undefined)
    expect(second).to.deep.equal({ events: [], hasMissed: true })
    await bus.publish([eventAt(60_000)])
    await mark(60_000)
    await eventually(() => failing.positions().includes(60_000), 'it goes on')
    const isKept = async () => (await bus.lastMarker('log')) === eventAt(60_000).position
    await eventually(isKept, 'the marker is kept')
    await bus.close()
  })

  it('does not wait for a group while it handles what it missed', async () => {
    const bus = open(join(folder, 'missed'))
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
    let isBroken = true
    let told = 0
    await bus.consume('failing', async ({ hasMissed }) => {
      if (isBroken) throw new Error('not now')
      if (!hasMissed) return
      told += 1
      await held
    })
    const publish = async () => {
      for (let n = 0; n < 30; n += 1) {
        await bus.publish(Array.from({ length: 1_000 }, (_, i) => eventAt(n * 1_000 + i)))
      }
    }
    await publish()
    isBroken = false
    await eventually(() => told === 1, 'it reads what it missed')
    await publish()
    letGo()
    await eventually(() => told === 2, 'it missed something again')
    await bus.close()
  })

  it('puts what waits together into one delivery', async () => {
    const bus = open(join(folder, 'merged'))
    const { handle, deliveries, positions } = recorder()
    await bus.consume('group', handle)
    await Promise.all([1, 2, 3, 4].map((n) => bus.publish([eventAt(n)])))
    await eventually(() => positions().length === 4, 'all came')
    expect(deliveries.length).to.be.below(4)
    await bus.close()
  })

  it('does not keep a marker that a stopped process had not handled the events before', async () => {
    const path = join(folder, 'unhandled')
    const bus = open(path)
    await bus.consume('failing', () => Promise.reject(new Error('never')))
    await bus.publish([eventAt(1)])
    await bus.mark({ logId: 'log', position: eventAt(1).position })
    await eventually(() => errors.length > 0, 'it failed')
    await bus.close()
    expect(await open(path).lastMarker('log')).to.equal(undefined)
  })

  it('begins anew where the marker’s file is torn', async () => {
    const path = join(folder, 'torn')
    writeFileSync(path, '{"logId":"lo')
    expect(await open(path).lastMarker('lo')).to.equal(undefined)
  })

  it('refuses to publish when it is closed', async () => {
    const bus = open(join(folder, 'closed'))
    await bus.close()
    expect((await failureOf(bus.publish([eventAt(1)]))).message).to.contain('closed')
  })
})
