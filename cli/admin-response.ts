/** Reads responses of the admin API: their JSON, or the failure to show. */
import { CommandFailure, hasCode } from './failure.ts';
import { type Problem, problemFailure } from './problem.ts';

/** A response whose body was read completely. A body that breaks off counts as a failed try. */
export interface AdminResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export async function readResponse(response: Response): Promise<AdminResponse> {
  const { status, headers } = response;
  return { status, headers, bytes: new Uint8Array(await response.arrayBuffer()) };
}

/** The cast is safe by contract: both sides compile against shared/admin. */
export function json<Value>({ status, bytes }: AdminResponse): Value {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Value;
  } catch {
    const message = `the response (${status}) is not JSON: check that NUMGATE_URL points to numgate`;
    throw new CommandFailure(message, 1, { status });
  }
}

function problemIn(response: AdminResponse): Problem | null {
  try {
    const problem = json<Partial<Problem>>(response);
    return typeof problem.code === 'string' ? (problem as Problem) : null;
  } catch {
    return null;
  }
}

/**
 * A 503 is temporary, unless numgate is not configured. Values that are not in KV yet take longer: the push handles that case.
 */
export function isTemporary({ status }: AdminResponse, failure: CommandFailure): boolean {
  return status === 503 && !hasCode(failure, 'RELEASE_INCOMPLETE') && !hasCode(failure, 'NOT_CONFIGURED');
}

export function failureOf(response: AdminResponse, url: string): CommandFailure {
  const problem = problemIn(response);
  if (problem !== null) return problemFailure(problem);
  return new CommandFailure(
    `${url} returned status ${response.status} with a response that is not from numgate: check that NUMGATE_URL points to numgate`,
    1,
    { status: response.status },
  );
}
