import { Presets, SingleBar } from 'cli-progress'
import type { Terminal } from './terminal.ts'

export interface ProgressBar {
  update(done: number, of: number): void
  stop(): void
}

/** A bar with rate and time left on a terminal; nothing where the stream is a file or a pipe. */
export function createProgressBar(stream: Terminal['err'], what: string): ProgressBar {
  if (!stream.isTTY) return { update() {}, stop() {} }
  let startedAt = 0
  let doneBefore = 0
  let bar: SingleBar | undefined
  return {
    update(done, of) {
      if (!bar) {
        const format = `${what} [{bar}] {percentage} % · {rate}/s · {eta_formatted} left`
        bar = new SingleBar({ format, stream, etaBuffer: 500, hideCursor: true }, Presets.legacy)
        startedAt = performance.now()
        doneBefore = done
        bar.start(of, done, { rate: '…' })
        return
      }
      const seconds = (performance.now() - startedAt) / 1000
      const rate = Math.round((done - doneBefore) / seconds)
      bar.update(done, { rate: rate.toLocaleString('en-US') })
    },
    stop() {
      bar?.stop()
      bar = undefined
    },
  }
}
