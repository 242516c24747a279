import { expect } from 'chai'
import type { Delivery, EventBus } from '../../events/event-bus.ts'
import type { RecordedEvent } from '../../events/event-store.ts'
import { eventually } from '../eventually.ts'

/** How a bus under test is opened; `reopen` closes it and opens it again, as after a restart. */
export interface EventBusUnderTest {
  readonly bus: EventBus
  reopen(): Promise<EventBus>
}

export const eventAt = (position: number, stream = 's-1'): RecordedEvent => ({
  id: `id-${position}`,
  type: 'Happened',
  data: `{"n":${position}}`,
  metadata: '{"recordedAt":"2026-01-01T00:00:00.000Z","schemaVersion":1}',
  stream,
  revision: BigInt(position),
  position: String(position).padStart(16, '0'),
})

const positionAt = (position: number): string => eventAt(position).position

/** A handler that remembers what it got. */
export function recorder() {
  const deliveries: Delivery[] = []
  return {
    deliveries,
    handle: async (delivery: Delivery) => {
      deliveries.push(delivery)
    },
    positions: () =>
      deliveries.flatMap(({ events }) => events.map(({ position }) => Number(position))),
    markers: () => deliveries.flatMap(({ marker }) => (marker ? [marker] : [])),
  }
}

/** What every adapter of the port does. */
export function eventBusContract(open: () => Promise<EventBusUnderTest>): void {
  let tested: EventBusUnderTest
  let bus: EventBus

  beforeEach(async () => {
    tested = await open()
    bus = tested.bus
  })
  afterEach(() => bus.close())

  it('hands every group all events, a stream in order, each as it was published', async () => {
    const groups = [recorder(), recorder()]
    for (const [index, { handle }] of groups.entries()) await bus.consume(`group-${index}`, handle)
    for (let n = 1; n < 50; n += 2) {
      await bus.publish([eventAt(n, `s-${n % 3}`), eventAt(n + 1, `s-${n % 3}`)])
    }
    for (const { deliveries, positions } of groups) {
      await eventually(() => positions().length === 50, 'all events came')
      for (const stream of ['s-0', 's-1', 's-2']) {
        const events = deliveries.flatMap((one) => one.events).filter((e) => e.stream === stream)
        const revisions = events.map(({ revision }) => Number(revision))
        expect(revisions).to.deep.equal(revisions.toSorted((a, b) => a - b))
      }
      const first = deliveries.flatMap(({ events }) => events).find((e) => e.id === 'id-1')
      expect(first).to.deep.equal(eventAt(1, 's-1'))
    }
  })

  it('brings a marker after all that was published before it', async () => {
    const { handle, deliveries, markers } = recorder()
    await bus.consume('group', handle)
    const marker = { logId: 'log', position: positionAt(2), levelAt: '2026-01-01T00:00:00.000Z' }
    await bus.publish([eventAt(1), eventAt(2)])
    await bus.mark(marker)
    await bus.publish([eventAt(3)])
    await eventually(() => markers().length > 0, 'the marker came')
    expect(markers()[0]).to.deep.equal(marker)
    const place = deliveries.findIndex((one) => one.marker)
    const until = deliveries.slice(0, place + 1).flatMap(({ events }) => events)
    expect(until.map(({ position }) => Number(position))).to.deep.equal([1, 2])
  })

  it('hands a group one delivery at a time', async () => {
    let underWay = 0
    let most = 0
    let handled = 0
    await bus.consume('group', async ({ events }) => {
      underWay += 1
      most = Math.max(most, underWay)
      await new Promise(setImmediate)
      underWay -= 1
      handled += events.length
    })
    for (let n = 1; n <= 30; n += 1) await bus.publish([eventAt(n)])
    await eventually(() => handled === 30, 'all events came')
    expect(most).to.equal(1)
  })

  it('brings a delivery again that failed, before any later one, while other groups go on', async () => {
    const failing = recorder()
    const other = recorder()
    let isBroken = true
    await bus.consume('failing', async (delivery) => {
      await failing.handle(delivery)
      if (isBroken) throw new Error('not now')
    })
    await bus.consume('other', other.handle)
    await bus.publish([eventAt(1)])
    await bus.publish([eventAt(2)])
    await eventually(() => other.positions().length === 2, 'the other group goes on')
    await eventually(() => failing.positions().length >= 2, 'it is tried again')
    expect(new Set(failing.deliveries.map(({ events }) => events[0]?.id))).to.deep.equal(
      new Set(['id-1']),
    )
    isBroken = false
    await eventually(() => failing.positions().includes(2), 'the next event came')
  })

  it('remembers a marker once every group has handled what is before it', async () => {
    let letGo: (() => void) | undefined
    const held = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const other = recorder()
    await bus.consume('slow', () => held)
    await bus.consume('fast', other.handle)
    await bus.publish([eventAt(1)])
    await bus.mark({ logId: 'log', position: positionAt(1) })
    await eventually(() => other.markers().length === 1, 'the fast group has it')
    letGo?.()
    const isKept = async () => (await bus.lastMarker('log')) === positionAt(1)
    await eventually(isKept, 'the marker is kept')
  })

  it('keeps markers over a restart, by log, and never an earlier one', async () => {
    await bus.consume('group', async () => {})
    await bus.mark({ logId: 'log', position: positionAt(7) })
    await eventually(async () => (await bus.lastMarker('log')) === positionAt(7), 'it is kept')
    bus = await tested.reopen()
    expect(await bus.lastMarker('log')).to.equal(positionAt(7))
    expect(await bus.lastMarker('another log')).to.equal(undefined)
  })

  it('stops a consumer after the delivery under way', async () => {
    const { handle, positions } = recorder()
    let letGo: (() => void) | undefined
    let isHandled = false
    const consumer = await bus.consume('stopped', async () => {
      await new Promise<void>((resolve) => {
        letGo = resolve
      })
      isHandled = true
    })
    await bus.consume('other', handle)
    await bus.publish([eventAt(1)])
    await eventually(() => letGo !== undefined, 'the delivery is under way')
    const stopped = consumer.stop()
    await bus.publish([eventAt(2)])
    letGo?.()
    await stopped
    expect(isHandled).to.equal(true)
    await eventually(() => positions().length === 2, 'the other group goes on')
  })
}
