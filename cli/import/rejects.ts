/** The file of rejected lines beside a build: at most REJECTS_WRITTEN_MAX lines, then how many are missing. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { REJECTS_WRITTEN_MAX } from '../../shared/limits/lists.ts';
import { count } from '../terminal/figures.ts';
import type { Reject } from './collect.ts';

interface Rejects {
  write(reject: Reject): void;
  close(): Promise<void>;
  /** Number of rejects beyond the limit of the file. */
  readonly notWritten: number;
}

/** The path, and how many rejects are missing from the file. */
export function formatRejectsPath(path: string, notWritten: number): string {
  return notWritten === 0 ? path : `${path}, without the last ${count(notWritten)}`;
}

export async function openRejects(path: string): Promise<Rejects> {
  const file = createWriteStream(path, { mode: 0o600 });
  await once(file, 'open');
  const written = finished(file);
  // `close` reports the error. Until then, it must not end the process.
  written.catch(() => undefined);
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  let rejected = 0;
  const notWritten = (): number => Math.max(0, rejected - REJECTS_WRITTEN_MAX);
  file.write('file,line,code,message\n');
  return {
    write: ({ file: name, line, code, message }) => {
      rejected++;
      if (notWritten() === 0) file.write(`${quote(name)},${line},${code},${quote(message)}\n`);
    },
    close: async () => {
      const more = `${count(notWritten())} more rejected lines are not in this file`;
      if (notWritten() > 0) file.write(`"",,REJECTS_NOT_WRITTEN,${quote(more)}\n`);
      file.end();
      await written;
    },
    get notWritten() {
      return notWritten();
    },
  };
}
