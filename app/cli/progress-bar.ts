import { Presets, SingleBar } from 'cli-progress'
import type { Terminal } from './terminal.ts'

export interface ProgressBar {
  update(done: number, of: number): void
  stop(): void
}

/** A bar with rate and time left on a terminal; nothing where the stream is a file or a pipe. */
export function createProgressBar(stream: Terminal['err'], what: string): ProgressBar {
  if (!stream.isTTY) return { update() {}, stop() {} }
  const startedAt = performance.now()
  let bar: SingleBar | undefined
  return {
    update(done, of) {
      if (!bar) {
        const format = `${what} [{bar}] {percentage} % · {rate}/s · {eta_formatted} left`
        bar = new SingleBar({ format, stream, etaBuffer: 500, hideCursor: true }, Presets.legacy)
        bar.start(of, 0, { rate: '' })
      }
      const seconds = (performance.now() - startedAt) / 1000
      bar.update(done, { rate: Math.round(done / seconds).toLocaleString('en-US') })
    },
    stop() {
      bar?.stop()
      bar = undefined
    },
  }
}
