/**
 * Decides what happens to each request: whether it is a message, what to check about it, and which bytes to
 * pass on. Counts its decisions. Numbers and texts never leave it.
 */
import type { Checker, Decision } from './checker.ts';
import type { JoinedTexts } from './joined-texts.ts';
import type { Labeller } from './label.ts';
import type { Verdict } from './lane.ts';
import { ADDRESS_OCTETS_MAX, type Message, readMessage, STATUS } from './pdu.ts';
import { Texts } from './texts.ts';

/** `submit`: from the ESME; `deliver`: from the SMSC. */
export type Direction = 'submit' | 'deliver';

export interface ScreenerOptions {
  readonly checker: Checker;
  readonly directions: readonly Direction[];
  readonly labeller: Labeller;
  /** Reads the texts, which are then checked too. Null if only numbers are checked. */
  readonly joinedTexts: Readonly<Record<Direction, JoinedTexts>> | null;
  /** The prefix that precedes the numbers of all senders and does not belong to them. */
  readonly carrierPrefix: string;
}

const CHECKED: ReadonlySet<string> = new Set(['submit_sm', 'deliver_sm', 'data_sm']);
/**
 * These requests would pass unchecked, so they are refused. A request with many recipients has no single
 * verdict, and `replace_sm` would remove the label from a text that has passed.
 */
const REFUSED: ReadonlySet<string> = new Set(['submit_multi', 'broadcast_sm', 'replace_sm']);

/** Message type in esm_class (5.2.12): SMSC delivery receipt, intermediate notification. */
const MESSAGE_TYPE = 0x3c;
const RECEIPTS: readonly number[] = [0x04, 0x20];

export class Screener {
  readonly #options: ScreenerOptions;
  readonly #texts: Readonly<Record<Direction, Texts>> = { submit: new Texts(), deliver: new Texts() };
  readonly counts = { passed: 0, labelled: 0, labelNotShown: 0, refused: 0 };

  constructor(options: ScreenerOptions) {
    this.#options = options;
  }

  screen(pdu: Buffer, command: string, direction: Direction): Verdict | Promise<Verdict> {
    if (!this.#options.directions.includes(direction)) return passed(pdu);
    if (REFUSED.has(command)) return this.#refuse(STATUS.invalidCommand);
    if (!CHECKED.has(command)) return passed(pdu);
    const message = readMessage(pdu);
    if (message === null) return this.#refuse(STATUS.invalidLength);
    // Only the SMSC sends receipts. The bit is ignored if an ESME sets it.
    if (direction === 'deliver' && RECEIPTS.includes(message.esmClass & MESSAGE_TYPE)) {
      return passed(pdu);
    }
    if (message.fromOctets > ADDRESS_OCTETS_MAX) return this.#refuse(STATUS.invalidSource);
    if (message.toOctets > ADDRESS_OCTETS_MAX) return this.#refuse(STATUS.invalidDestination);
    const { checker, joinedTexts } = this.#options;
    const text = joinedTexts?.[direction].read(pdu, message);
    const decided = checker.check(this.#senderOf(message), message.to, text);
    return decided.then((decision) =>
      this.#apply(pdu, message, this.#texts[direction].decide(pdu, message, decision)),
    );
  }

  #apply(pdu: Buffer, message: Message, decision: Decision): Verdict {
    if (decision.kind === 'refuse') return this.#refuse(decision.status);
    if (decision.kind === 'pass') {
      this.counts.passed++;
      return passed(pdu);
    }
    const { pdus, isShown } = this.#options.labeller.label(pdu, message, decision.label);
    this.counts[isShown ? 'labelled' : 'labelNotShown']++;
    return { kind: 'pass', pdus };
  }

  #senderOf({ from }: Message): string {
    const { carrierPrefix } = this.#options;
    // A sender that consists only of the prefix is not a withheld sender.
    const isBefore = from.startsWith(carrierPrefix) && from.length > carrierPrefix.length;
    return isBefore ? from.slice(carrierPrefix.length) : from;
  }

  #refuse(status: number): Verdict {
    this.counts.refused++;
    return { kind: 'refuse', status };
  }
}

function passed(pdu: Buffer): Verdict {
  return { kind: 'pass', pdus: [pdu] };
}
