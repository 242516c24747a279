import { Presets, SingleBar } from 'cli-progress'

/** Told how far an import is; each phase begins with its first call. */
export interface ImportProgress {
  checking(bytes: number, of: number): void
  posting(commands: number, of: number): void
  stop(): void
}

export const noProgress: ImportProgress = { checking() {}, posting() {}, stop() {} }

/** Bars on a terminal, with rate and time left; plain characters only, so it needs no colours. */
export function createProgressBars(stream: NodeJS.WritableStream): ImportProgress {
  let phase: string | undefined
  let bar: SingleBar | undefined
  let startedAt = 0
  const show = (
    name: string,
    value: number,
    total: number,
    rate: (perSecond: number) => string,
  ) => {
    const now = performance.now()
    if (phase !== name) {
      bar?.stop()
      phase = name
      startedAt = now
      bar = new SingleBar(
        {
          format: `${name.padEnd(9)} [{bar}] {percentage} % · {rate} · {eta_formatted} left`,
          stream,
          etaBuffer: 50,
          hideCursor: true,
        },
        Presets.legacy,
      )
      bar.start(total, 0, { rate: '' })
    }
    const seconds = (now - startedAt) / 1000
    bar?.update(value, { rate: seconds > 0 ? rate(value / seconds) : '' })
  }
  return {
    checking: (bytes, of) =>
      show('Checking', bytes, of, (rate) => `${(rate / 1_000_000).toFixed(1)} MB/s`),
    posting: (commands, of) => show('Posting', commands, of, (rate) => `${Math.round(rate)}/s`),
    stop: () => bar?.stop(),
  }
}
