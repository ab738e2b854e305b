import type { ForwardingError, Proof } from "../../relay/destination.ts";

/** Carries blocks to another relay. */
export interface Carriage {
  /** Bytes that the other side has not taken yet. */
  readonly buffered: number;
  send(block: Uint8Array): void;
  close(): void;
}

/** Hears what a carriage brings: blocks, then once that it is over. */
export interface Listener {
  block(block: Uint8Array): void;
  closed(error: ForwardingError): void;
}

/** A carriage whose other side has said its hello. */
export interface OpenedCarriage {
  readonly carriage: Carriage;
  readonly arrivals: Arrivals;
  /** The first block. */
  readonly hello: Uint8Array;
  /** What the hello has to prove. */
  readonly proof: Proof;
}

/** What arrives on a carriage: the first block is waited for, what follows goes to a listener. */
export class Arrivals {
  readonly #first = Promise.withResolvers<Uint8Array>();
  #isGreeted = false;
  #listener: Listener | null = null;
  #end: ForwardingError | null = null;

  constructor() {
    // It may end with nobody waiting any more.
    this.#first.promise.catch(() => undefined);
  }

  /** @throws ForwardingError when none comes */
  get first(): Promise<Uint8Array> {
    return this.#first.promise;
  }

  /** What comes before anybody listens is lost: a relay says nothing before its hello is answered. */
  listen(listener: Listener): void {
    this.#listener = listener;
    if (this.#end) listener.closed(this.#end);
  }

  block(block: Uint8Array): void {
    if (this.#end) return;
    if (this.#isGreeted) this.#listener?.block(block);
    else this.#first.resolve(block);
    this.#isGreeted = true;
  }

  end(error: ForwardingError): void {
    if (this.#end) return;
    this.#end = error;
    this.#first.reject(error);
    this.#listener?.closed(error);
  }
}
