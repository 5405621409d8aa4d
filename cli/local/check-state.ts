/** Runs before `npm run dev`: stops, as `npm start` does, if the local state is old or in use. */
import { servicePort } from '../environment.ts';
import { failureReport } from '../failure.ts';
import { note } from '../terminal/output.ts';
import { claimState } from './state-claim.ts';

try {
  claimState(servicePort());
} catch (error) {
  const { exitCode, text } = failureReport(error);
  note(text);
  process.exitCode = exitCode;
}
