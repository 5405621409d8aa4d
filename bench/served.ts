/**
 * The service that the benches over HTTP share, since it takes a while to build and push a list: one at a
 * time, until another size is asked for. Beside it, in the same process, run the Workers to compare with.
 */
import { FLOORS } from './floors.ts';
import { type Installation, startInstallation } from './installation.ts';
import type { BenchOptions } from './options.ts';
import { Questions } from './questions.ts';

interface Served {
  readonly questions: Questions;
  readonly installation: Installation;
}

let current: (Served & { readonly count: number }) | null = null;

/** @param count how many numbers it has on its list */
export async function served(count: number, options: BenchOptions): Promise<Served> {
  if (current?.count === count) return current;
  await endServed();
  const questions = new Questions(count, options);
  current = { count, questions, installation: await startInstallation(questions.listed, [], FLOORS) };
  return current;
}

/** To be called when all benches have run, also when one failed. */
export async function endServed(): Promise<void> {
  const ending = current;
  current = null;
  await ending?.installation.stop();
}
