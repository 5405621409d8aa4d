/**
 * Labels all parts of a long text, or none. A label changes the number of parts, and a phone cannot join parts
 * with different part counts. The first decided part therefore decides for the others. Each part is still
 * checked, and a refused part stays refused.
 */
import type { Decision } from './checker.ts';
import { placeOf, textOf } from './parts.ts';
import type { Message } from './pdu.ts';

/** All parts of a text arrive within this time, in ms. */
const TEXT_MS = 60_000;
/** Maximum number of remembered texts. After that, the oldest are forgotten. */
const TEXTS_MAX = 10_000;

export class Texts {
  /** Decisions by text, oldest first. */
  readonly #decisions = new Map<string, { readonly decision: Decision; readonly since: number }>();

  /** @returns the decision for this message: its own, or that of an earlier part of its text */
  decide(pdu: Buffer, message: Message, decision: Decision): Decision {
    if (decision.kind === 'refuse') return decision;
    const text = textOf(pdu, message);
    const place = text === null ? null : placeOf(pdu, message, text.octets);
    if (place === null || place === 'unreadable' || place.total === 1) return decision;
    const { form, reference, total } = place;
    const key = JSON.stringify([message.from, message.to, form, reference, total]);
    const now = performance.now();
    const known = this.#decisions.get(key);
    if (known !== undefined && now - known.since < TEXT_MS) return known.decision;
    this.#decisions.delete(key);
    this.#decisions.set(key, { decision, since: now });
    const [oldest] = this.#decisions.keys();
    if (this.#decisions.size > TEXTS_MAX) this.#decisions.delete(oldest!);
    return decision;
  }
}
