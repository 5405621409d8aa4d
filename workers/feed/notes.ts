/** `GET /v1/feed/checkpoint` and `/v1/feed/epochs/{epoch}`: signed statements of the feed (shared/signed-note.ts). */
import { utf8 } from '../../shared/bytes.ts';
import { fieldError } from '../../shared/fields.ts';
import { parametersOf } from '../http/parameters.ts';
import { problem } from '../http/reply.ts';
import { forConsumers } from './consumers.ts';
import { callFeed } from './pages.ts';

/** The newest event, signed. */
export const getCheckpoint = forConsumers(async ({ url, reply, feed }) => {
  const parameters = parametersOf(url, {});
  if (!parameters.ok) return parameters;
  const note = await callFeed(feed.checkpoint());
  return note.ok ? reply.note(utf8(note.value)) : note;
});

/** The statement that opened an epoch. */
export const getEpoch = forConsumers(async ({ url, reply, feed, params }) => {
  const parameters = parametersOf(url, {});
  if (!parameters.ok) return parameters;
  if (!/^[1-9]\d{0,14}$/.test(params.epoch!))
    return fieldError('FIELD_VALUE', 'epoch', 'must be the number of an epoch, at least 1');
  const note = await callFeed(feed.epoch(Number(params.epoch)));
  if (!note.ok) return note;
  if (note.value !== null) return reply.note(utf8(note.value));
  return problem(
    'FEED_EPOCH_UNKNOWN',
    'this epoch is no longer kept, or has not begun: begin with the snapshot',
  );
});
