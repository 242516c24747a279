import { type ProblemDefinition, problemsOf } from '../../platform/http/problem.ts'
import type { ScreeningRejectionCode } from './domain/rejections.ts'

/** Every refusal over HTTP: a new code does not compile until it stands here. */
export const screeningRefusals: Readonly<Record<ScreeningRejectionCode, ProblemDefinition>> = {
  'screening-not-found': {
    status: 404,
    title: 'The screening does not exist',
    advice: 'Open it first.',
  },
  'screening-exists': {
    status: 409,
    title: 'The screening is open with another hall or time',
    advice: 'Read what is there.',
  },
  'screening-started': {
    status: 422,
    title: 'The screening has begun',
    advice: 'Bookings are made and cancelled before.',
  },
  'seat-not-in-hall': {
    status: 422,
    title: 'The hall has no such seat',
    advice: 'The screening says how many rows and seats there are.',
  },
  'seat-taken': { status: 409, title: 'A seat is taken', advice: 'Choose another one.' },
  'sold-out': {
    status: 409,
    title: 'There are not so many places left',
    advice: 'Book fewer. The detail has the figures.',
  },
  'booking-exists': {
    status: 409,
    title: 'The booking id was used with other content',
    advice: 'Use a new id for a new booking.',
  },
  'booking-not-found': {
    status: 404,
    title: 'The booking does not exist',
    advice: 'Check the id. After a command, read with `min-revision` of its answer.',
  },
}

const invalid = (title: string, advice: string): ProblemDefinition => ({
  ...{ status: 400, title, advice },
})

/** All codes that the shapes and the rules of screenings name. */
export const screeningProblems = {
  ...screeningRefusals,
  'invalid-screening-id': invalid(
    'The screening id is not valid',
    'Lower-case letters, digits and `-`, at most 63 characters, no `-` in front.',
  ),
  'invalid-hall': invalid(
    'The hall is not valid',
    '1 to 26 rows of 1 to 99 seats, and a capacity of at least 1.',
  ),
  'invalid-seat': invalid('The seat is not valid', 'Its row and its number in it: `C7`.'),
  'invalid-seats': invalid('The list of seats is not valid', '1 to 20 seats, each named once.'),
}

export const screeningProblem = problemsOf(screeningProblems)
