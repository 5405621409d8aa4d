/** Files of plain numbers for the benchmarks, one number per line. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { formatPlace } from './random-lists.ts';

/** Characters per write. */
const PIECE = 1 << 20;

export async function writeNumbers(path: string, places: Iterable<number>): Promise<void> {
  const file = createWriteStream(path);
  let text = '';
  for (const place of places) {
    text += `${formatPlace(place)}\n`;
    if (text.length < PIECE) continue;
    if (!file.write(text)) await once(file, 'drain');
    text = '';
  }
  file.end(text);
  await once(file, 'close');
}
