/**
 * A map in layers. Reads fall through to the layer below, writes stay in the top one until they are
 * moved down, so that a layer can be dropped and leaves no trace.
 */
export class LayeredMap<Key, Value> {
  readonly #own = new Map<Key, Value>()
  #below: LayeredMap<Key, Value> | undefined

  constructor(below?: LayeredMap<Key, Value>) {
    this.#below = below
  }

  get(key: Key): Value | undefined {
    return this.#own.get(key) ?? this.#below?.get(key)
  }

  set(key: Key, value: Value): void {
    this.#own.set(key, value)
  }

  /** A new layer over this one. */
  layer(): LayeredMap<Key, Value> {
    return new LayeredMap(this)
  }

  /**
   * Moves this layer's writes into a lower one, and returns that. Layers that lie on this one read
   * through it from then on.
   */
  mergeInto(base: LayeredMap<Key, Value>): LayeredMap<Key, Value> {
    for (const [key, value] of this.#own) base.set(key, value)
    this.#own.clear()
    this.#below = base
    return base
  }

  /** The entries of this layer alone: of the lowest one, all that was merged into it. */
  ownEntries(): IterableIterator<[Key, Value]> {
    return this.#own.entries()
  }

  /** Entries of all layers, those that hide another counted twice. */
  get size(): number {
    return this.#own.size + (this.#below?.size ?? 0)
  }
}
