/**
 * Reads, fingerprints and scores the texts of many items before they are screened. Equal texts are processed
 * once, and other requests get turns in between. The results live no longer than the request.
 */
import { TEXT_CHARS_PER_TURN } from '../../shared/limits/text.ts';
import { type ScreenedText, screenedText } from '../../shared/screening/screened-text.ts';
import type { Snapshot } from '../../shared/screening/snapshot.ts';
import type { RunItem } from './item-runs.ts';

export function hasText(items: readonly RunItem[]): boolean {
  return items.some(({ parsed }) => parsed.ok && parsed.value.text !== undefined);
}

/**
 * The snapshot with the results for the texts of these items, and for no others.
 * @param snapshot its results for earlier items are reused, because one text often goes to many recipients
 */
export async function withFoundTexts(items: readonly RunItem[], snapshot: Snapshot): Promise<Snapshot> {
  const texts = new Map<string, ScreenedText>();
  let chars = 0;
  for (const { parsed } of items) {
    const text = parsed.ok ? parsed.value.text : undefined;
    if (text === undefined || texts.has(text)) continue;
    const known = snapshot.texts.get(text);
    texts.set(text, known ?? screenedText(text, snapshot.text, snapshot.now));
    if (known !== undefined) continue;
    chars += text.length;
    if (chars < TEXT_CHARS_PER_TURN) continue;
    chars = 0;
    await nextTurn();
  }
  return { ...snapshot, texts };
}

/** Waits for a macrotask, so that requests that arrived meanwhile run first. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
