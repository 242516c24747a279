import { type ProblemDefinitions, problemsOf } from './problem.ts'

/** Every error that the HTTP edge itself answers, whatever the domain. */
export const edgeProblems = {
  'invalid-request': {
    status: 400,
    title: 'The request is not HTTP as this server knows it',
    advice: 'Check the method, the request line, the headers and the framing of the body.',
  },
  'invalid-target': {
    status: 400,
    title: 'The request target is not a path',
    advice: 'Send a path that begins with `/`, not a whole URL.',
  },
  'invalid-query': {
    status: 400,
    title: 'The query string cannot be decoded',
    advice: 'Percent-encode names and values as UTF-8.',
  },
  'unknown-parameter': {
    status: 400,
    title: 'The query has an unknown parameter',
    advice: 'Remove it; `/openapi.json` lists the parameters of each operation.',
  },
  'repeated-parameter': {
    status: 400,
    title: 'A query parameter occurs more than once',
    advice: 'Send it once.',
  },
  'missing-parameter': {
    status: 400,
    title: 'A required query parameter is missing',
    advice: 'Add it; `/openapi.json` lists the parameters of each operation.',
  },
  'invalid-parameter': {
    status: 400,
    title: 'A parameter has a wrong value',
    advice: 'Compare it with the form that `/openapi.json` gives for it.',
  },
  'unexpected-body': {
    status: 400,
    title: 'The operation takes no body',
    advice: 'Send the request without one.',
  },
  'body-cut-short': {
    status: 400,
    title: 'The body ended before its announced length',
    advice: 'Send it again; nothing of it was used.',
  },
  'invalid-utf8': {
    status: 400,
    title: 'The body is not UTF-8',
    advice: 'Encode it as UTF-8, without a byte order mark.',
  },
  'invalid-unicode': {
    status: 400,
    title: 'A string of the body is not well-formed Unicode',
    advice: 'Escape characters beyond U+FFFF as a whole surrogate pair, or not at all.',
  },
  'invalid-json': {
    status: 400,
    title: 'The body is not JSON',
    advice: 'Send one JSON value (RFC 8259).',
  },
  'json-too-deep': {
    status: 400,
    title: 'The body is nested too deeply',
    advice: 'No operation needs more than a few levels.',
  },
  'duplicate-key': {
    status: 400,
    title: 'An object of the body has the same key twice',
    advice: 'Name each key once: readers disagree about which one counts.',
  },
  'escaped-key': {
    status: 400,
    title: 'A key of the body is written with an escape',
    advice: 'Write keys as they are: none that is known needs an escape.',
  },
  'forbidden-key': {
    status: 400,
    title: 'An object of the body has a key that is not allowed',
    advice: 'Do not use `__proto__` as a key.',
  },
  'invalid-number': {
    status: 400,
    title: 'A number of the body is not a safe integer',
    advice: 'Send whole numbers up to 2^53 - 1 as digits only, and amounts as strings.',
  },
  'unknown-field': {
    status: 400,
    title: 'The body has an unknown field',
    advice: 'Remove the field at `pointer`.',
  },
  'missing-field': {
    status: 400,
    title: 'The body lacks a required field',
    advice: 'Add the field at `pointer`.',
  },
  'invalid-body': {
    status: 400,
    title: 'The body has not the shape of the operation',
    advice: 'Compare the part at `pointer` with `/openapi.json`.',
  },
  'not-found': {
    status: 404,
    title: 'There is nothing at this path',
    advice: 'Check the path; `/docs` lists all of them.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The path does not have this method',
    advice: 'Use one that the `Allow` header names.',
  },
  'not-acceptable': {
    status: 406,
    title: 'No media type of the answer is acceptable',
    advice: 'Accept `application/json`, or what `/openapi.json` says of the operation.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request did not arrive in time',
    advice: 'Send it again, faster; nothing of it was used.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    advice: 'Send less at once; `limit` in the answer says how many bytes are taken.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body is of another media type than the operation takes',
    advice: 'Send `Content-Type: application/json`, or what `/openapi.json` says.',
  },
  'compressed-body': {
    status: 415,
    title: 'Encoded bodies are not accepted',
    advice: 'Send the body without `Content-Encoding`.',
  },
  'expectation-failed': {
    status: 417,
    title: 'The expectation is not known',
    advice: 'Only `Expect: 100-continue` is understood.',
  },
  'host-not-allowed': {
    status: 421,
    title: 'The Host of the request is not served here',
    advice: 'Use a configured name; `--allowed-hosts` adds one.',
  },
  'headers-too-large': {
    status: 431,
    title: 'The headers are too large or too many',
    advice: 'Send fewer or smaller ones.',
  },
  'internal-error': {
    status: 500,
    title: 'Something failed inside',
    advice: 'Tell the operator the `requestId`: the log has the rest under it.',
  },
  'too-many-connections': {
    status: 503,
    title: 'There are too many connections',
    advice: 'Come again after `Retry-After` seconds, and keep connections open.',
  },
  'not-ready': {
    status: 503,
    title: 'The service is not ready',
    advice: 'Wait; `checks` in the answer names what is missing.',
  },
} as const satisfies ProblemDefinitions

export type EdgeProblem = keyof typeof edgeProblems

/** A problem of the edge. */
export const problem = problemsOf(edgeProblems)
