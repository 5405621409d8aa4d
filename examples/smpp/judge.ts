/**
 * What happens to each request: which of them are messages, what is asked about them, and what becomes of
 * their bytes. Counts what it did; a number or a text never leaves it.
 */
import type { Checker, Decision } from './checker.ts';
import { withLabel } from './label.ts';
import type { Verdict } from './lane.ts';
import { type Message, readMessage, STATUS } from './pdu.ts';

/** `submit`: from the ESME; `deliver`: from the SMSC. */
export type Direction = 'submit' | 'deliver';

export interface JudgeOptions {
  readonly checker: Checker;
  readonly directions: readonly Direction[];
  /** Tag of the optional parameter for a label that the text cannot take; null for none. */
  readonly labelTag: number | null;
}

const CHECKED: ReadonlySet<string> = new Set(['submit_sm', 'deliver_sm', 'data_sm']);
/** One request with many recipients has no one answer. It is refused, since it would go by unchecked. */
const REFUSED: ReadonlySet<string> = new Set(['submit_multi', 'broadcast_sm']);

/** Message type of esm_class (5.2.12): SMSC delivery receipt, intermediate notification. */
const MESSAGE_TYPE = 0x3c;
const RECEIPTS: readonly number[] = [0x04, 0x20];

const PASS: Decision = { kind: 'pass' };

export class Judge {
  readonly #options: JudgeOptions;
  readonly counts = { passed: 0, labelled: 0, labelNotShown: 0, refused: 0 };

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  of(pdu: Buffer, command: string, direction: Direction): Verdict | Promise<Verdict> {
    if (!this.#options.directions.includes(direction)) return { pdu, decision: PASS };
    if (REFUSED.has(command)) return this.#refuse(pdu, STATUS.invalidCommand);
    if (!CHECKED.has(command)) return { pdu, decision: PASS };
    const message = readMessage(pdu);
    if (message === null) return this.#refuse(pdu, STATUS.invalidLength);
    // Only the SMSC makes them: an ESME that sets the bit is not believed.
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
