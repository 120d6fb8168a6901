import { randomUUID } from 'node:crypto';
import { Server, ServerCredentials, status, type handleUnaryCall, type ServiceDefinition } from '@grpc/grpc-js';
import proto, { type temporal } from '@temporalio/proto';
import { Execution, timestamp, type Activity, type Around } from './execution.ts';

const api = proto.temporal.api.workflowservice.v1;
const { HistoryEventFilterType, QueryResultType } = proto.temporal.api.enums.v1;
/** The methods that this stand-in has, each with its request and its answer. */
type Methods = {
  GetSystemInfo: [temporal.api.workflowservice.v1.IGetSystemInfoRequest, object];
  DescribeNamespace: [temporal.api.workflowservice.v1.IDescribeNamespaceRequest, object];
  StartWorkflowExecution: [temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest, object];
  SignalWorkflowExecution: [temporal.api.workflowservice.v1.ISignalWorkflowExecutionRequest, object];
  RequestCancelWorkflowExecution: [temporal.api.workflowservice.v1.IRequestCancelWorkflowExecutionRequest, object];
  QueryWorkflow: [temporal.api.workflowservice.v1.IQueryWorkflowRequest, object];
  GetWorkflowExecutionHistory: [temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryRequest, object];
  PollWorkflowTaskQueue: [temporal.api.workflowservice.v1.IPollWorkflowTaskQueueRequest, object];
  RespondWorkflowTaskCompleted: [temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest, object];
  RespondWorkflowTaskFailed: [temporal.api.workflowservice.v1.IRespondWorkflowTaskFailedRequest, object];
  RespondQueryTaskCompleted: [temporal.api.workflowservice.v1.IRespondQueryTaskCompletedRequest, object];
  PollActivityTaskQueue: [temporal.api.workflowservice.v1.IPollActivityTaskQueueRequest, object];
  RespondActivityTaskCompleted: [temporal.api.workflowservice.v1.IRespondActivityTaskCompletedRequest, object];
  RespondActivityTaskFailed: [temporal.api.workflowservice.v1.IRespondActivityTaskFailedRequest, object];
  RespondActivityTaskCanceled: [temporal.api.workflowservice.v1.IRespondActivityTaskCanceledRequest, object];
  RecordActivityTaskHeartbeat: [temporal.api.workflowservice.v1.IRecordActivityTaskHeartbeatRequest, object];
  ShutdownWorker: [temporal.api.workflowservice.v1.IShutdownWorkerRequest, object];
};
type Handlers = {
  [M in keyof Methods]: (request: Methods[M][0], gone: AbortSignal) => Methods[M][1] | Promise<Methods[M][1]>;
};
type Query = {
  readonly id: string;
  execution: Execution;
  query: temporal.api.query.v1.IWorkflowQuery;
  answer: (response: object) => void;
  fail: (error: Error) => void;
};

/** How long a worker has for a workflow task or a query: what a real server gives it by default. */
const taskTimeoutMs = 10_000;

/** A stand-in for a Temporal server. */
export type StandIn = {
  readonly address: string;
  /** All executions of a workflow, oldest first. */
  executions(workflowId: string): readonly Execution[];
  /** Until what is asked for is so; looked at whenever something changes. */
  until(is: () => boolean): Promise<void>;
  close(): void;
};

/**
 * What of Temporal's server the tests of this package need, in memory: it hands tasks to workers and makes histories of their answers. It
 * is no engine and proves nothing about one: real workers, real clients and Temporal's real core run against it. Every workflow task is
 * sent with its whole history.
 */
export async function standInServer({ suggestAfter = 10_000 }: { suggestAfter?: number } = {}): Promise<StandIn> {
  const executions: Execution[] = [];
  const watchers = new Set<() => void>();
  const workflowTasks: Execution[] = [];
  const activityTasks: Activity[] = [];
  const queries: Query[] = [];
  const queriesOpen = new Map<Execution, Query>();
  const changed = () => {
    for (const watch of watchers) watch();
  };
  const around: Around = {
    scheduled: (activity) => void activityTasks.push(activity),
    taskReady: (execution) => void workflowTasks.push(execution),
    continued: (execution) => void executions.push(execution),
    changed,
    suggestAfter,
  };
  const until = (is: () => boolean, gone?: AbortSignal) =>
    new Promise<void>((resolve) => {
      const watch = () => {
        if (!gone?.aborted && !is()) return;
        watchers.delete(watch);
        resolve();
      };
      gone?.addEventListener('abort', watch);
      watchers.add(watch);
      watch();
    });
  const find = (execution: temporal.api.common.v1.IWorkflowExecution | null | undefined) => {
    const all = executions.filter(({ workflowId }) => workflowId === execution?.workflowId);
    const found = execution?.runId ? all.find(({ runId }) => runId === execution.runId) : all.at(-1);
    if (!found) throw missing('workflow');
    return found;
  };
  const byToken = (token: Uint8Array | null | undefined): [Execution | undefined, string] => {
    const [runId, rest = ''] = Buffer.from(token ?? [])
      .toString()
      .split(' ');
    return [executions.find((each) => each.runId === runId), rest];
  };
  /** An answer that comes after its task has been given up is refused, as a real server does. */
  const taskOf = (token: Uint8Array | null | undefined) => {
    const [execution, startedTask] = byToken(token);
    if (!execution?.isAtTask(Number(startedTask))) throw missing('workflow task');
    return execution;
  };
  const activityOf = (token: Uint8Array | null | undefined) => {
    const [execution, id] = byToken(token);
    const [scheduledEventId, attempt] = id.split('/').map(Number);
    const activity = execution?.activities.get(scheduledEventId ?? 0);
    return activity?.attempt === attempt ? activity : undefined;
  };
  const again = (activity: Activity) => {
    clearTimeout(activity.watchdog);
    activity.attempt += 1;
    activity.startedAt = undefined;
    if (activity.cancelRequested) return activity.execution.closeActivity(activity, { canceled: true });
    setTimeout(() => {
      activityTasks.push(activity);
      changed();
    }, 50);
  };
  const watch = (activity: Activity) => {
    clearTimeout(activity.watchdog);
    const seconds = Number(activity.attributes.heartbeatTimeout?.seconds ?? 0);
    if (seconds > 0) activity.watchdog = setTimeout(() => again(activity), seconds * 1_000);
  };
  const begin = (execution: Execution) => {
    execution.startTask();
    const { startedTask } = execution;
    setTimeout(() => execution.isAtTask(startedTask) && execution.abandonTask(), taskTimeoutMs).unref();
    return { ...handedOut(execution, String(startedTask)), startedEventId: startedTask };
  };
  const ask = (query: Query) => {
    const { execution } = query;
    queriesOpen.set(execution, query);
    const askAgain = () => {
      if (queriesOpen.get(execution) !== query) return;
      queriesOpen.delete(execution);
      queries.push(query);
      changed();
    };
    setTimeout(askAgain, taskTimeoutMs).unref();
    return { ...handedOut(execution, query.id), startedEventId: execution.previousStarted, query: query.query };
  };
  const named = (queue: temporal.api.taskqueue.v1.ITaskQueue | null | undefined) => queue?.name;

  const handlers: Handlers = {
    GetSystemInfo: () => ({
      serverVersion: '1.30.0',
      capabilities: {
        supportsSchedules: true,
        upsertMemo: true,
        sdkMetadata: true,
        encodedFailureAttributes: true,
        activityFailureIncludeHeartbeat: true,
      },
    }),
    DescribeNamespace: ({ namespace }) => ({ namespaceInfo: { name: namespace, state: 1, id: 'namespace' } }),
    StartWorkflowExecution: ({ workflowId, workflowType, taskQueue, input, header }) => {
      const begin = { workflowType: workflowType ?? null, taskQueue: taskQueue ?? null, input: input ?? null };
      const execution = new Execution(workflowId ?? '', { ...begin, header: header ?? null }, around);
      executions.push(execution);
      changed();
      return { runId: execution.runId, started: true };
    },
    SignalWorkflowExecution: ({ workflowExecution, signalName, input }) => {
      find(workflowExecution).signal(signalName ?? '', input);
      return {};
    },
    RequestCancelWorkflowExecution: ({ workflowExecution }) => {
      find(workflowExecution).requestCancel();
      return {};
    },
    QueryWorkflow: async ({ execution, query }) => {
      const found = find(execution);
      // A query is asked of a worker that has seen the workflow begin.
      await until(() => found.previousStarted > 0);
      return new Promise((answer, fail) => {
        queries.push({ id: randomUUID(), execution: found, query: query ?? {}, answer, fail });
        changed();
      });
    },
    GetWorkflowExecutionHistory: async ({ execution, waitNewEvent, historyEventFilterType }, gone) => {
      const found = find(execution);
      if (waitNewEvent) await until(() => found.isClosed, gone);
      const closing = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT;
      const events = historyEventFilterType === closing ? found.events.slice(-1) : found.events;
      return { history: { events }, nextPageToken: new Uint8Array() };
    },
    PollWorkflowTaskQueue: async ({ taskQueue }, gone) => {
      const mine = (execution: Execution) => named(execution.begin.taskQueue) === named(taskQueue);
      // One thing at a time for each execution: a worker that has no cache would mix them up.
      const ready = () => workflowTasks.findIndex((each) => mine(each) && !queriesOpen.has(each));
      const asked = () =>
        queries.findIndex(({ execution: each }) => mine(each) && each.isIdle && !queriesOpen.has(each));
      // Several polls may be woken by one thing, and all but one wait on.
      while (ready() < 0 && asked() < 0 && !gone.aborted) await until(() => ready() >= 0 || asked() >= 0, gone);
      if (gone.aborted) return {};
      const [task] = ready() >= 0 ? workflowTasks.splice(ready(), 1) : [];
      const [query] = task ? [] : queries.splice(asked(), 1);
      if (task) return begin(task);
      return query ? ask(query) : {};
    },
    RespondWorkflowTaskCompleted: (request) => {
      taskOf(request.taskToken).completeTask(request);
      changed();
      return {};
    },
    RespondWorkflowTaskFailed: ({ taskToken, failure, cause }) => {
      taskOf(taskToken).failTask(failure ?? {}, Number(cause));
      return {};
    },
    RespondQueryTaskCompleted: ({ taskToken, queryResult, errorMessage, completedType }) => {
      const [execution, id] = byToken(taskToken);
      const query = execution && queriesOpen.get(execution);
      if (query?.id !== id) throw missing('query');
      queriesOpen.delete(query.execution);
      const failed = completedType === QueryResultType.QUERY_RESULT_TYPE_FAILED;
      if (failed) query.fail(Object.assign(new Error(errorMessage ?? ''), { code: status.INVALID_ARGUMENT }));
      else query.answer({ queryResult });
      changed();
      return {};
    },
    PollActivityTaskQueue: async ({ taskQueue }, gone) => {
      const mine = ({ attributes }: Activity) => named(attributes.taskQueue) === named(taskQueue);
      while (!activityTasks.some(mine) && !gone.aborted) await until(() => activityTasks.some(mine), gone);
      if (gone.aborted) return {};
      const [activity] = activityTasks.splice(activityTasks.findIndex(mine), 1);
      if (!activity?.execution.activities.has(activity.scheduledEventId)) return {};
      const { execution, attributes, scheduledEventId, attempt } = activity;
      activity.startedAt = Date.now();
      watch(activity);
      return {
        ...attributes,
        scheduleToCloseTimeout: attributes.scheduleToCloseTimeout ?? { seconds: 0 },
        taskToken: Buffer.from(`${execution.runId} ${scheduledEventId}/${attempt}`),
        workflowNamespace: 'default',
        workflowType: execution.begin.workflowType,
        workflowExecution: { workflowId: execution.workflowId, runId: execution.runId },
        attempt,
        scheduledTime: timestamp(),
        currentAttemptScheduledTime: timestamp(),
        startedTime: timestamp(),
      };
    },
    RespondActivityTaskCompleted: ({ taskToken, result }) => {
      const activity = activityOf(taskToken);
      activity?.execution.closeActivity(activity, { result: result ?? null });
      return {};
    },
    RespondActivityTaskFailed: ({ taskToken, failure }) => {
      const activity = activityOf(taskToken);
      if (!activity) return {};
      const most = activity.attributes.retryPolicy?.maximumAttempts ?? 0;
      const isLast = failure?.applicationFailureInfo?.nonRetryable || (most > 0 && activity.attempt >= most);
      if (isLast) activity.execution.closeActivity(activity, { failure: failure ?? {} });
      else again(activity);
      activity.lastFailure = failure?.message ?? '';
      changed();
      return {};
    },
    RespondActivityTaskCanceled: ({ taskToken }) => {
      const activity = activityOf(taskToken);
      activity?.execution.closeActivity(activity, { canceled: true });
      return {};
    },
    RecordActivityTaskHeartbeat: ({ taskToken }) => {
      const activity = activityOf(taskToken);
      if (!activity) throw missing('activity');
      watch(activity);
      return { cancelRequested: activity.cancelRequested };
    },
    ShutdownWorker: () => ({}),
  };
  const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  server.addService(service(Object.keys(handlers)), unary(handlers));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    address: `127.0.0.1:${port}`,
    executions: (workflowId) => executions.filter((each) => each.workflowId === workflowId),
    until,
    close: () => {
      for (const execution of executions) execution.close();
      server.forceShutdown();
    },
  };
}

/** What a worker is told of an execution, whether it is to go on with it or to answer a query. */
function handedOut({ runId, workflowId, begin, previousStarted, events }: Execution, id: string) {
  return {
    taskToken: Buffer.from(`${runId} ${id}`),
    workflowExecution: { workflowId, runId },
    workflowType: begin.workflowType,
    workflowExecutionTaskQueue: begin.taskQueue,
    previousStartedEventId: previousStarted,
    attempt: 1,
    history: { events },
    nextPageToken: new Uint8Array(),
    scheduledTime: timestamp(),
    startedTime: timestamp(),
  };
}

function missing(what: string): Error {
  return Object.assign(new Error(`no such ${what}`), { code: status.NOT_FOUND });
}

type Message = { decode(bytes: Uint8Array): object; encode(value: object): { finish(): Uint8Array } };

function service(names: readonly string[]): ServiceDefinition {
  const messages = api as unknown as { [name: string]: Message | undefined };
  const message = (name: string) => {
    const found = messages[name];
    if (!found) throw new Error(`There is no message ${name}.`);
    return found;
  };
  return Object.fromEntries(
    names.map((name) => {
      const request = message(`${name}Request`);
      const response = message(`${name}Response`);
      return [
        name,
        {
          path: `/temporal.api.workflowservice.v1.WorkflowService/${name}`,
          requestStream: false,
          responseStream: false,
          requestDeserialize: (bytes: Buffer) => request.decode(bytes),
          requestSerialize: (value: object) => Buffer.from(request.encode(value).finish()),
          responseDeserialize: (bytes: Buffer) => response.decode(bytes),
          responseSerialize: (value: object) => Buffer.from(response.encode(value).finish()),
        },
      ];
    }),
  );
}

function unary(handlers: Handlers): { [name: string]: handleUnaryCall<object, object> } {
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handle]) => [
      name,
      (call, callback) => {
        const gone = new AbortController();
        call.on('cancelled', () => gone.abort());
        Promise.resolve()
          .then(() => handle(call.request, gone.signal))
          .then(
            (response) => callback(null, response),
            (error: unknown) => callback({ code: status.INTERNAL, ...Object(error), message: String(error) }),
          );
      },
    ]),
  );
}
