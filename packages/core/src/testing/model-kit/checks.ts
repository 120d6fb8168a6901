import { abortChecks } from './checks/aborts.ts';
import { answerChecks } from './checks/answers.ts';
import { conversationChecks } from './checks/conversation.ts';
import { errorChecks } from './checks/errors.ts';
import { eventChecks } from './checks/events.ts';
import { fixtureChecks } from './checks/fixtures.ts';
import { requestChecks } from './checks/requests.ts';
import { settingChecks } from './checks/settings.ts';
import { streamChecks } from './checks/streams.ts';
import type { ModelCheck } from './kit.ts';

/** Everything that an adapter must do, in the order in which an author meets it. */
export const modelChecks: readonly ModelCheck[] = [
  ...fixtureChecks,
  ...answerChecks,
  ...streamChecks,
  ...eventChecks,
  ...requestChecks,
  ...settingChecks,
  ...conversationChecks,
  ...errorChecks,
  ...abortChecks,
];
