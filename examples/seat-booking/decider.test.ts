import { expect } from 'chai'
import fc from 'fast-check'
import { isRejection } from '../../command-service/domain/decider.ts'
import { givenFor, recalledFrom, testTime } from '../../tests/given.ts'
import type { ScreeningCommand } from './domain/commands.ts'
import { screeningDecider } from './domain/decider.ts'
import { type ScreeningEvent, screeningCodec } from './domain/events.ts'
import { namesIn } from './domain/names.ts'
import { screeningSnapshot } from './domain/snapshot.ts'
import type { Screening } from './domain/state.ts'

const given = givenFor(screeningDecider, namesIn)

const hall = { rows: 2, seatsPerRow: 3, startsAt: '2026-02-01T18:00:00.000Z' }
const opened = (more: { capacity?: number; startsAt?: string } = {}): ScreeningEvent => ({
  type: 'ScreeningOpened',
  data: { capacity: 6, ...hall, ...more },
})
const book = (id: string, ...seats: string[]): ScreeningCommand => ({
  ...{ type: 'BookSeats', id, seats },
})
const booked = (booking: string, ...seats: string[]): ScreeningEvent => ({
  type: 'SeatsBooked',
  data: { booking, seats },
})
const cancel = (booking: string): ScreeningCommand => ({ type: 'CancelBooking', booking })
const cancelled = (booking: string, ...seats: string[]): ScreeningEvent => ({
  type: 'BookingCancelled',
  data: { booking, seats },
})
const begun = opened({ startsAt: testTime })

describe('screening decider', () => {
  describe('OpenScreening', () => {
    const open: ScreeningCommand = { type: 'OpenScreening', ...hall }
    it('opens with as many places as there are seats, or fewer', () => {
      given().when(open).thenEvents(opened())
      given()
        .when({ ...open, capacity: 4 })
        .thenEvents(opened({ capacity: 4 }))
      given()
        .when({ ...open, capacity: 7 })
        .thenEvents(opened())
    })
    it('changes nothing when it is open just so', () => {
      given(opened()).when(open).thenEvents()
    })
    it('refuses another hall or time for one that is open', () => {
      given(opened())
        .when({ ...open, rows: 3 })
        .thenRejected('screening-exists')
      given(opened())
        .when({ ...open, startsAt: '2026-02-01T20:00:00.000Z' })
        .thenRejected('screening-exists')
    })
  })

  describe('BookSeats', () => {
    it('refuses, first, a screening that does not exist', () => {
      given().when(book('b1', 'Z9')).thenRejected('screening-not-found')
    })
    it('then one that has begun', () => {
      given(begun).when(book('b1', 'Z9')).thenRejected('screening-started')
    })
    it('then seats that the hall does not have', () => {
      given(opened())
        .when(book('b1', 'A1', 'A4'))
        .thenRejected('seat-not-in-hall', /A4/)
      given(opened()).when(book('b1', 'C1')).thenRejected('seat-not-in-hall', /C1/)
    })
    it('then seats that are taken', () => {
      given(opened({ capacity: 1 }), booked('b0', 'A2'))
        .when(book('b1', 'A1', 'A2'))
        .thenRejected('seat-taken', /A2/)
    })
    it('then more people than are let in', () => {
      given(opened({ capacity: 3 }), booked('b0', 'A1', 'A2'))
        .when(book('b1', 'B1', 'B2'))
        .thenRejected('sold-out', /1 of 3/)
    })
    it('books, also what was cancelled', () => {
      given(opened(), booked('b0', 'A1', 'B3'), cancelled('b0', 'A1', 'B3'))
        .when(book('b1', 'A1', 'B3'))
        .thenEvents(booked('b1', 'A1', 'B3'))
    })
  })

  describe('CancelBooking', () => {
    it('refuses, first, a screening that does not exist', () => {
      given().when(cancel('b1')).thenRejected('screening-not-found')
    })
    it('then a booking that does not exist', () => {
      given(begun).when(cancel('b1')).thenRejected('booking-not-found')
    })
    it('changes nothing when it is cancelled already, also after the start', () => {
      given(begun, booked('b1', 'A1'), cancelled('b1', 'A1')).when(cancel('b1')).thenEvents()
    })
    it('then one whose screening has begun', () => {
      given(begun, booked('b1', 'A1')).when(cancel('b1')).thenRejected('screening-started')
    })
    it('frees the seats that the booking of the past names', () => {
      given(opened(), booked('b1', 'A1'), booked('b2', 'A2'))
        .when(cancel('b1'))
        .thenEvents(cancelled('b1', 'A1'))
    })
  })

  describe('laws', () => {
    const seat = fc.constantFrom('A1', 'A2', 'A3', 'B1', 'B2', 'B3', 'C1', 'A9')
    const id = fc.constantFrom('b1', 'b2', 'b3', 'b4', 'b5')
    const commands = fc.array(
      fc.oneof(
        fc.record({
          type: fc.constant('BookSeats' as const),
          id,
          seats: fc.uniqueArray(seat, { minLength: 1, maxLength: 4 }),
        }),
        fc.record({ type: fc.constant('CancelBooking' as const), booking: id }),
      ),
      { maxLength: 40 },
    )

    /** Decides commands one after the other. An id is booked once, as the handler sees to it. */
    function play(all: readonly ScreeningCommand[], capacity: number) {
      const history: ScreeningEvent[] = [opened({ capacity })]
      let state = history.reduce(screeningDecider.evolve, screeningDecider.initialState())
      const ids = new Set<string>()
      const apply = (command: ScreeningCommand): readonly ScreeningEvent[] => {
        const recalled = recalledFrom(
          history,
          screeningDecider.recalls?.(command, state) ?? [],
          namesIn,
        )
        const decision = screeningDecider.decide(command, state, { now: testTime, recalled })
        if (isRejection(decision)) return []
        history.push(...decision)
        state = decision.reduce(screeningDecider.evolve, state)
        return decision
      }
      for (const command of all) {
        if (command.type === 'BookSeats' && ids.has(command.id)) continue
        if (apply(command).length > 0 && command.type === 'BookSeats') ids.add(command.id)
      }
      return { history, apply, state: () => state }
    }

    /** Which booking has which seat, by a model that knows nothing of the decider. */
    function occupants(history: readonly ScreeningEvent[]): Map<string, string> {
      const seats = new Map<string, string>()
      for (const event of history) {
        if (event.type === 'ScreeningOpened') continue
        for (const one of event.data.seats) {
          if (event.type === 'SeatsBooked') {
            expect(seats.has(one), `${one} twice`).equal(false)
            seats.set(one, event.data.booking)
          } else {
            expect(seats.get(one), `${one} of another`).equal(event.data.booking)
            seats.delete(one)
          }
        }
      }
      return seats
    }

    const takenIn = ({ taken }: Screening): string[] =>
      [...taken.ownEntries()].flatMap(([one, isTaken]) => (isTaken ? [one] : [])).sort()

    it('no seat is had twice, and no more people than are let in', () => {
      fc.assert(
        fc.property(commands, fc.integer({ min: 1, max: 6 }), (all, capacity) => {
          const { history, state } = play(all, capacity)
          for (let end = 1; end <= history.length; end += 1) {
            expect(occupants(history.slice(0, end)).size).at.most(capacity)
          }
          expect(takenIn(state())).deep.equal([...occupants(history).keys()].sort())
        }),
      )
    })

    it('a cancellation that is repeated adds no event', () => {
      fc.assert(
        fc.property(commands, id, (all, booking) => {
          const { apply } = play(all, 6)
          apply({ type: 'CancelBooking', booking })
          expect(apply({ type: 'CancelBooking', booking })).deep.equal([])
        }),
      )
    })

    it('every event survives the codec, every state its snapshot', () => {
      fc.assert(
        fc.property(commands, (all) => {
          const { history, state } = play(all, 6)
          for (const [index, event] of history.entries()) {
            const encoded = screeningCodec.encode(event, 'id', { recordedAt: testTime })
            const place = { stream: 'screening-x', revision: BigInt(index), position: '1' }
            const { type, data } = screeningCodec.decode({ ...encoded, ...place })
            expect({ type, data }).deep.equal(event)
          }
          const read = screeningSnapshot.read(
            [...screeningSnapshot.write(state())].map((line): unknown =>
              JSON.parse(JSON.stringify(line)),
            ),
          )
          const { plan, booked: places } = state()
          expect({ plan: read.plan, booked: read.booked }).deep.equal({ plan, booked: places })
          expect(takenIn(read)).deep.equal(takenIn(state()))
        }),
      )
    })
  })
})
