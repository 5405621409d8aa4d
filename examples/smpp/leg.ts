/**
 * One end of a session: a socket, split into PDUs. PDUs are read only on demand. Unread data stays in the
 * socket, and TCP makes the peer wait.
 */
import type { Socket } from 'node:net';
import { HEADER_BYTES, PDU_BYTES_MAX } from './pdu.ts';

export class Leg {
  readonly socket: Socket;
  #head: Buffer | null = null;
  #isFinishing = false;
  readonly #closeWaitMs: number;

  /** @param closeWaitMs how long the peer may take to close its end after we closed ours, in ms */
  constructor(socket: Socket, closeWaitMs: number) {
    this.socket = socket;
    this.#closeWaitMs = closeWaitMs;
    socket.setNoDelay(true);
    // The `close` event follows and is handled.
    socket.on('error', () => undefined);
  }

  /** Whether the peer can no longer respond. */
  get isGone(): boolean {
    return this.socket.destroyed || this.socket.writableEnded || this.socket.readableEnded;
  }

  /** Whether the peer does not read data that was already written. */
  get isCongested(): boolean {
    return this.socket.writableNeedDrain;
  }

  /** @returns null until a whole PDU is available */
  next(): Buffer | null {
    if (this.#isFinishing) return null;
    this.#head ??= this.#read(4);
    if (this.#head === null) return null;
    const length = this.#head.readUInt32BE(0);
    if (length < HEADER_BYTES || length > PDU_BYTES_MAX) {
      // The start of the next PDU can no longer be found.
      this.socket.destroy();
      return null;
    }
    const rest = this.#read(length - 4);
    if (rest === null) return null;
    const pdu = Buffer.concat([this.#head, rest]);
    this.#head = null;
    return pdu;
  }

  /** At the end of its data, a socket returns fewer bytes than requested. */
  #read(length: number): Buffer | null {
    const bytes = this.socket.read(length) as Buffer | null;
    return bytes?.length === length ? bytes : null;
  }

  write(pdu: Buffer): void {
    // A peer that has closed its sending side may still read.
    if (!this.socket.destroyed && !this.socket.writableEnded) this.socket.write(pdu);
  }

  /**
   * Closes our end and gives the peer time to read the last data. Discards further data from the peer, because
   * closing a socket with unread data would lose what was written.
   */
  finish(): void {
    if (this.#isFinishing) return;
    this.#isFinishing = true;
    this.socket.removeAllListeners('readable');
    this.socket.resume();
    this.socket.end();
    const timer = setTimeout(() => this.socket.destroy(), this.#closeWaitMs);
    this.socket.on('close', () => clearTimeout(timer));
  }
}
