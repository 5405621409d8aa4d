/**
 * One end of a session: a socket, cut into PDUs. A PDU is taken only when somebody asks for it; what is not
 * taken stays in the socket, and TCP tells the peer to wait.
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
    // `close` follows, and is what is acted on.
    socket.on('error', () => undefined);
  }

  /** Whether the peer cannot answer any more. */
  get isGone(): boolean {
    return this.socket.destroyed || this.socket.writableEnded || this.socket.readableEnded;
  }

  /** Whether the peer does not take what was said to it already. */
  get isCongested(): boolean {
    return this.socket.writableNeedDrain;
  }

  /** @returns null until there is a whole PDU */
  next(): Buffer | null {
    if (this.#isFinishing) return null;
    this.#head ??= this.#read(4);
    if (this.#head === null) return null;
    const length = this.#head.readUInt32BE(0);
    if (length < HEADER_BYTES || length > PDU_BYTES_MAX) {
      // Where the next PDU begins, nobody knows any more.
      this.socket.destroy();
      return null;
    }
    const rest = this.#read(length - 4);
    if (rest === null) return null;
    const pdu = Buffer.concat([this.#head, rest]);
    this.#head = null;
    return pdu;
  }

  /** At its end a socket gives less than it is asked for. */
  #read(length: number): Buffer | null {
    const bytes = this.socket.read(length) as Buffer | null;
    return bytes?.length === length ? bytes : null;
  }

  write(pdu: Buffer): void {
    // One that has said its last may still listen.
    if (!this.socket.destroyed && !this.socket.writableEnded) this.socket.write(pdu);
  }

  /**
   * Close our end, and give the peer time to read what was said last. What it still sends is thrown away:
   * a socket that is closed with something unread takes back what was said.
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
