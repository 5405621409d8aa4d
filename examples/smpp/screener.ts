/**
 * Decides what happens to each request: which ones are messages, what to check about them, and which bytes to
 * pass on. It counts what it did. Numbers and texts never leave it.
 */
import type { Checker, Decision } from './checker.ts';
import { withLabel } from './label.ts';
import type { Verdict } from './lane.ts';
import { type Message, readMessage, STATUS } from './pdu.ts';

/** `submit`: from the ESME; `deliver`: from the SMSC. */
export type Direction = 'submit' | 'deliver';

export interface ScreenerOptions {
  readonly checker: Checker;
  readonly directions: readonly Direction[];
  /** Tag of the optional parameter for a label that the text cannot hold. Null for none. */
  readonly labelTag: number | null;
}

const CHECKED: ReadonlySet<string> = new Set(['submit_sm', 'deliver_sm', 'data_sm']);
/**
 * A request with many recipients has no single verdict. It is refused, because otherwise it would pass
 * unchecked.
 */
const REFUSED: ReadonlySet<string> = new Set(['submit_multi', 'broadcast_sm']);

/** Message type in esm_class (5.2.12): SMSC delivery receipt, intermediate notification. */
const MESSAGE_TYPE = 0x3c;
const RECEIPTS: readonly number[] = [0x04, 0x20];

const PASS: Decision = { kind: 'pass' };

export class Screener {
  readonly #options: ScreenerOptions;
  readonly counts = { passed: 0, labelled: 0, labelNotShown: 0, refused: 0 };

  constructor(options: ScreenerOptions) {
    this.#options = options;
  }

  screen(pdu: Buffer, command: string, direction: Direction): Verdict | Promise<Verdict> {
    if (!this.#options.directions.includes(direction)) return { pdu, decision: PASS };
    if (REFUSED.has(command)) return this.#refuse(pdu, STATUS.invalidCommand);
    if (!CHECKED.has(command)) return { pdu, decision: PASS };
    const message = readMessage(pdu);
    if (message === null) return this.#refuse(pdu, STATUS.invalidLength);
    // Only the SMSC sends receipts. The bit is ignored if an ESME sets it.
    if (direction === 'deliver' && RECEIPTS.includes(message.esmClass & MESSAGE_TYPE)) {
      return { pdu, decision: PASS };
    }
    const decided = this.#options.checker.check(message.from, message.to);
    return decided.then((decision) => this.#apply(pdu, message, decision));
  }

  #apply(pdu: Buffer, message: Message, decision: Decision): Verdict {
    if (decision.kind === 'refuse') return this.#refuse(pdu, decision.status);
    if (decision.kind === 'pass') {
      this.counts.passed++;
      return { pdu, decision };
    }
    const labelled = withLabel(pdu, message, decision.label, this.#options.labelTag);
    this.counts[labelled.isShown ? 'labelled' : 'labelNotShown']++;
    return { pdu: labelled.pdu, decision };
  }

  #refuse(pdu: Buffer, status: number): Verdict {
    this.counts.refused++;
    return { pdu, decision: { kind: 'refuse', status } };
  }
}
