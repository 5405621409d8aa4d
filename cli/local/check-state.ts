/** Runs before `npm run dev`: stops, as `npm start` does, if the local state is old or in use. */
import { servicePort } from '../admin.ts';
import { failureReport } from '../failure.ts';
import { claimState } from './state-claim.ts';

try {
  claimState(servicePort());
} catch (error) {
  const { exitCode, text } = failureReport(error);
  process.stderr.write(text);
  process.exitCode = exitCode;
}
