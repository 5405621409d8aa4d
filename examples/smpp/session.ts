/**
 * One ESME and the SMSC session that is opened for it. The SMSC decides on binds. The session has two lanes.
 * It handles a side that stops, leaves or disconnects.
 */
import type { Socket } from 'node:net';
import { Lane, type Verdict } from './lane.ts';
import { Leg } from './leg.ts';
import { commandOf, isResponse, STATUS, statusOf, unbindOf } from './pdu.ts';
import type { Direction, Screener } from './screener.ts';

export interface SessionOptions {
  readonly screener: Screener;
  /** Maximum number of requests in flight in each direction. */
  readonly window: number;
  /** How long to wait for a response from the other side, in ms. */
  readonly responseWaitMs: number;
  /** How long reading stops for a sender with a full window if no response arrives, in ms. */
  readonly fullWaitMs: number;
  /** How long a peer may take to close its end after we closed ours, in ms. */
  readonly closeWaitMs: number;
}

/** Maximum interval between two checks for expired requests, in ms. */
const TICK_MS = 1_000;
/** Commands allowed before the SMSC has accepted a bind. */
const BEFORE_BIND = /^(bind_.*|unbind)$/;
/** Sequence number of the proxy's own unbind: the highest possible one, which no peer's own number has reached. */
const OWN_SEQUENCE = 0x7fffffff;

interface Side {
  readonly leg: Leg;
  /** Requests from this side. */
  readonly lane: Lane;
  hasEnded: boolean;
}

export class Session {
  readonly #esme: Side;
  readonly #smsc: Side;
  readonly #fullWaitMs: number;
  readonly closed: Promise<void>;
  #onDrained: () => void = () => undefined;
  #isBound = false;
  #isPumping = false;
  #hasRoom = false;

  constructor(esmeSocket: Socket, smscSocket: Socket, options: SessionOptions) {
    const { screener, window, responseWaitMs, fullWaitMs, closeWaitMs } = options;
    this.#fullWaitMs = fullWaitMs;
    const esme = new Leg(esmeSocket, closeWaitMs);
    const smsc = new Leg(smscSocket, closeWaitMs);
    const onRoom = (): void => this.#pump();
    const laneOf = (from: Leg, to: Leg, lostStatus: number, direction: Direction): Lane => {
      const screen = (pdu: Buffer, command: string): Verdict | Promise<Verdict> => {
        // An unbound peer must not cause checks.
        if (this.#isBound || BEFORE_BIND.test(command)) return screener.screen(pdu, command, direction);
        return { kind: 'refuse', status: STATUS.notBound };
      };
      return new Lane({ from, to, window, lostStatus, onRoom, screen });
    };
    const sideOf = (leg: Leg, lane: Lane): Side => ({ leg, lane, hasEnded: false });
    this.#esme = sideOf(esme, laneOf(esme, smsc, STATUS.systemError, 'submit'));
    this.#smsc = sideOf(smsc, laneOf(smsc, esme, STATUS.receiverTemporary, 'deliver'));
    const tick = setInterval(
      () => {
        for (const { lane } of [this.#esme, this.#smsc]) lane.expire(responseWaitMs);
        this.#pump();
      },
      Math.min(TICK_MS, fullWaitMs),
    );
    const gone = [this.#watch(this.#esme, this.#smsc), this.#watch(this.#smsc, this.#esme)];
    this.closed = Promise.all(gone).then(() => clearInterval(tick));
  }

  /** Handles the events of a side. @returns when the side has closed */
  #watch(side: Side, other: Side): Promise<void> {
    const { socket } = side.leg;
    socket.on('readable', () => this.#pump());
    socket.on('drain', () => this.#pump());
    socket.on('end', () => {
      side.hasEnded = true;
      other.lane.fail();
      this.#pump();
    });
    return new Promise((resolve) => {
      socket.on('close', () => {
        side.lane.drop();
        other.lane.fail();
        // Until the other side closes, requests that it sent before it noticed are answered, too.
        this.#pump();
        other.leg.finish();
        resolve();
      });
    });
  }

  /** Reads all available data on both sides, and closes finished sides. */
  #pump(): void {
    // Reading from one side makes room for the other.
    this.#hasRoom = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#hasRoom) {
      this.#hasRoom = false;
      this.#read(this.#esme, this.#smsc);
      this.#read(this.#smsc, this.#esme);
    }
    this.#isPumping = false;
    for (const [side, other] of [
      [this.#esme, this.#smsc],
      [this.#smsc, this.#esme],
    ] as const) {
      if (side.hasEnded && side.lane.size === 0) other.leg.finish();
    }
    if (this.#esme.lane.size + this.#smsc.lane.size === 0) this.#onDrained();
  }

  /**
   * Reads from a side. If its lane is full, reading stops and its TCP window fills. If both lanes are full, or
   * one is stuck, reading goes on, because the responses and enquire_link PDUs that the other side needs come
   * after the requests. Those requests are refused with a temporary error.
   */
  #read({ leg, lane }: Side, other: Side): void {
    const isHeld = (): boolean => lane.isFull && !other.lane.isFull && !lane.isStuck(this.#fullWaitMs);
    while (!leg.isCongested && !other.leg.isCongested && !isHeld()) {
      const pdu = leg.next();
      if (pdu === null) return;
      if (!isResponse(pdu)) lane.take(pdu);
      else {
        // Only the SMSC can accept a bind.
        if (leg === this.#smsc.leg && commandOf(pdu).startsWith('bind_')) {
          this.#isBound ||= statusOf(pdu) === 0;
        }
        other.lane.answered(pdu);
      }
    }
  }

  /** Refuses new requests, waits for those in flight, and unbinds both sides. @returns when everything has closed */
  async stop(waitMs: number): Promise<void> {
    const drained = new Promise<void>((resolve) => {
      this.#onDrained = resolve;
    });
    const timer = setTimeout(() => this.#onDrained(), waitMs);
    for (const { lane } of [this.#esme, this.#smsc]) lane.close();
    this.#pump();
    await Promise.race([drained, this.closed]);
    clearTimeout(timer);
    for (const { leg, lane } of [this.#esme, this.#smsc]) {
      lane.fail();
      leg.write(unbindOf(OWN_SEQUENCE));
      leg.finish();
    }
    await this.closed;
  }
}
