/** Admits the clients that read the notices of their organisation. Limits the requests of each client per minute. */
import type { Client } from '../../shared/clients.ts';
import {
  NOTICE_REQUESTS_MAX,
  NOTICE_REQUESTS_TOTAL_MAX,
  NOTICE_WINDOW_MS,
} from '../../shared/limits/notices.ts';
import type { Answer, Handler, PathParameters, RequestContext } from '../http/app.ts';
import { type AdmissionContent, ClientAdmission } from '../http/client-admission.ts';
import { problem } from '../http/reply.ts';
import { RequestWindow } from '../http/request-window.ts';
import { readClientsWith } from '../storage/coordinator-port.ts';

export interface NoticeContext extends RequestContext {
  readonly params: PathParameters;
  readonly client: Client;
}

/** The state that an isolate keeps for these clients. */
class NoticeClients {
  readonly admission = new ClientAdmission<AdmissionContent>({
    right: 'notices',
    read: ({ COORDINATOR }) => readClientsWith('notices', COORDINATOR),
    failed: 'noticeClientsNotRead',
    unavailable: 'the clients cannot be read now; try again',
  });
  readonly requests = new RequestWindow(NOTICE_WINDOW_MS, NOTICE_REQUESTS_MAX, NOTICE_REQUESTS_TOTAL_MAX);
}

/** The clients of this isolate. */
let clients = new NoticeClients();

/** Resets all state, as a new isolate would. */
export function resetNoticeClients(): void {
  clients = new NoticeClients();
}

/** A route for clients with the right `notices`. */
export function forNoticeClients(handle: (context: NoticeContext) => Promise<Answer>): Handler {
  return async (context, params) => {
    const admitted = await clients.admission.admit(context);
    if (!admitted.ok) return admitted;
    const { client } = admitted.value;
    const now = Date.now();
    clients.requests.advance(now);
    const retryAfterSeconds = clients.requests.limited(client.id, now);
    if (retryAfterSeconds !== null)
      return problem('QUOTA_EXCEEDED', 'too many requests of this client: add a webhook', {
        retryAfterSeconds,
      });
    clients.requests.count(client.id);
    return handle({ ...context, params, client });
  };
}
