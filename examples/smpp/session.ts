/**
 * One ESME and the session with the SMSC that is opened for it: binds are the SMSC's to judge. Two lanes,
 * and what happens when either side stops, leaves or dies.
 */
import type { Socket } from 'node:net';
import type { Direction, Judge } from './judge.ts';
import { Lane, type Verdict } from './lane.ts';
import { Leg } from './leg.ts';
import { commandOf, isResponse, STATUS, statusOf, unbindOf } from './pdu.ts';

export interface SessionOptions {
  readonly judge: Judge;
  /** Most requests under way in each direction. */
  readonly window: number;
  /** How long the other side's answer is waited for, in ms. */
  readonly responseWaitMs: number;
  /** How long a sender that has filled its window is not read while nothing is answered, in ms. */
  readonly fullWaitMs: number;
  /** How long a peer may take to close its end after we closed ours, in ms. */
  readonly closeWaitMs: number;
}

/** Between two looks at what has not been answered, at most, in ms. */
const TICK_MS = 1_000;
/** What may be said until the SMSC has taken a bind. */
const BEFORE_BIND = /^(bind_.*|unbind)$/;
/** Of our own unbind: the last number there is, which no peer's own has reached. */
const OWN_SEQUENCE = 0x7fffffff;

interface Side {
  readonly leg: Leg;
  /** Of what comes from here. */
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
    const { judge, window, responseWaitMs, fullWaitMs, closeWaitMs } = options;
    this.#fullWaitMs = fullWaitMs;
    const esme = new Leg(esmeSocket, closeWaitMs);
    const smsc = new Leg(smscSocket, closeWaitMs);
    const onRoom = (): void => this.#pump();
    const laneOf = (from: Leg, to: Leg, lostStatus: number, direction: Direction): Lane => {
      const judged = (pdu: Buffer, command: string): Verdict | Promise<Verdict> => {
        // Who is not bound costs no check.
        if (this.#isBound || BEFORE_BIND.test(command)) return judge.of(pdu, command, direction);
        return { pdu, decision: { kind: 'refuse', status: STATUS.notBound } };
      };
      return new Lane({ from, to, window, lostStatus, onRoom, judge: judged });
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

  /** @returns when it has closed */
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
        // Until it closes, what it sent before it knew is answered, too.
        this.#pump();
        other.leg.finish();
        resolve();
      });
    });
  }

  /** Take what can be taken, on both sides, and end what has come to its end. */
  #pump(): void {
    // What is read from one side makes room for the other.
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
   * A side whose lane is full waits: its TCP window fills. Where both are full, or one is stuck, it is read
   * on, since behind its requests come the responses and links that the other side needs; the requests are
   * told to come again later.
   */
  #read({ leg, lane }: Side, other: Side): void {
    const isHeld = (): boolean => lane.isFull && !other.lane.isFull && !lane.isStuck(this.#fullWaitMs);
    while (!leg.isCongested && !other.leg.isCongested && !isHeld()) {
      const pdu = leg.next();
      if (pdu === null) return;
      if (!isResponse(pdu)) lane.take(pdu);
      else {
        // Only the SMSC's word counts.
        if (leg === this.#smsc.leg && commandOf(pdu).startsWith('bind_')) {
          this.#isBound ||= statusOf(pdu) === 0;
        }
        other.lane.answered(pdu);
      }
    }
  }

  /** Put off what is new, wait for what is under way, unbind on both sides. @returns when it has closed */
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
