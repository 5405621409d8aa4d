/**
 * The service that the HTTP benchmarks share, because building and pushing a list takes a while. Only one
 * runs at a time. A different list size replaces it. The baseline Workers run in the same process.
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

/** @param count how many numbers are listed */
export async function served(count: number, options: BenchOptions): Promise<Served> {
  if (current?.count === count) return current;
  await endServed();
  const questions = new Questions(count, options);
  current = { count, questions, installation: await startInstallation(questions.listed, [], FLOORS) };
  return current;
}

/** Call this after all benchmarks, even if one failed. */
export async function endServed(): Promise<void> {
  const ending = current;
  current = null;
  await ending?.installation.stop();
}
