import { randomUUID } from 'node:crypto';
import proto, { type temporal } from '@temporalio/proto';

const { EventType, CommandType, ContinueAsNewInitiator, TimeoutType } = proto.temporal.api.enums.v1;
export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Command = temporal.api.command.v1.ICommand;
type Failure = temporal.api.failure.v1.IFailure;
type Payloads = temporal.api.common.v1.IPayloads;
type Completed = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest;
type Scheduled = temporal.api.history.v1.IActivityTaskScheduledEventAttributes;
type StartTimer = temporal.api.command.v1.IStartTimerCommandAttributes;
type ContinueAsNew = temporal.api.command.v1.IContinueAsNewWorkflowExecutionCommandAttributes;
/** Writes an event that a command leads to, and gives its id. */
type Write = (type: number, attributes: object) => number;
type Begin = Pick<
  temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes,
  'workflowType' | 'taskQueue' | 'input' | 'header' | 'continuedExecutionRunId'
>;

/** An activity that has been scheduled and has not closed. */
export type Activity = {
  readonly execution: Execution;
  readonly scheduledEventId: number;
  readonly attributes: Scheduled;
  attempt: number;
  /** Set while a worker is at it. */
  startedAt: number | undefined;
  cancelRequested: boolean;
  lastFailure: string | undefined;
  watchdog: NodeJS.Timeout | undefined;
};

/** What an execution asks of the server that keeps it. */
export type Around = {
  readonly scheduled: (activity: Activity) => void;
  readonly taskReady: (execution: Execution) => void;
  readonly continued: (execution: Execution) => void;
  readonly changed: () => void;
  /** Events after which the server suggests to continue as new. */
  readonly suggestAfter: number;
};

/** One workflow execution: its history, made from what workers answer. */
export class Execution {
  readonly workflowId: string;
  readonly runId: string = randomUUID();
  readonly events: HistoryEvent[] = [];
  readonly taskFailures: Failure[] = [];
  readonly activities = new Map<number, Activity>();
  readonly begin: Begin;
  isClosed = false;
  #task: 'none' | 'scheduled' | 'started' = 'none';
  #scheduledTask = 0;
  #previousStarted = 0;
  #startedTask = 0;
  #buffered: (() => void)[] = [];
  #timers = new Map<string, { id: number; timeout: NodeJS.Timeout }>();
  readonly #around: Around;

  constructor(workflowId: string, begin: Begin, around: Around) {
    this.workflowId = workflowId;
    this.begin = begin;
    this.#around = around;
    this.#append(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, {
      workflowExecutionStartedEventAttributes: {
        ...begin,
        workflowId,
        originalExecutionRunId: this.runId,
        firstExecutionRunId: this.runId,
        attempt: 1,
        workflowTaskTimeout: { seconds: 10 },
      },
    } as unknown as HistoryEvent);
    this.scheduleTask();
  }

  get previousStarted(): number {
    return this.#previousStarted;
  }

  /** No worker is at a workflow task, and none is waited for. */
  get isIdle(): boolean {
    return this.#task === 'none';
  }

  /** A worker is at the workflow task that began with this event. */
  isAtTask(startedTask: number): boolean {
    return this.#task === 'started' && this.#startedTask === startedTask;
  }

  get startedTask(): number {
    return this.#startedTask;
  }

  /** What happens while a workflow task is worked at waits until that has been answered. */
  tell(write: () => void): void {
    if (this.isClosed) return;
    if (this.#task === 'started') this.#buffered.push(write);
    else {
      write();
      this.scheduleTask();
    }
    this.#around.changed();
  }

  scheduleTask(): void {
    if (this.#task !== 'none' || this.isClosed) return;
    this.#task = 'scheduled';
    this.#scheduledTask = this.#append(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, {
      workflowTaskScheduledEventAttributes: { taskQueue: this.begin.taskQueue ?? null, attempt: 1 },
    });
    this.#around.taskReady(this);
  }

  startTask(): void {
    this.#task = 'started';
    this.#startedTask = this.#append(EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED, {
      workflowTaskStartedEventAttributes: {
        scheduledEventId: this.#scheduledTask,
        requestId: randomUUID(),
        historySizeBytes: 1_000,
        suggestContinueAsNew: this.events.length >= this.#around.suggestAfter,
      },
    } as unknown as HistoryEvent);
  }

  /** The worker died, or took too long. */
  abandonTask(): void {
    this.#append(EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, {
      workflowTaskTimedOutEventAttributes: {
        scheduledEventId: this.#scheduledTask,
        startedEventId: this.#startedTask,
        timeoutType: TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE,
      },
    } as unknown as HistoryEvent);
    this.#endTask();
    this.scheduleTask();
    this.#around.changed();
  }

  failTask(failure: Failure, cause: number): void {
    this.taskFailures.push(failure);
    this.#append(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED, {
      workflowTaskFailedEventAttributes: {
        scheduledEventId: this.#scheduledTask,
        startedEventId: this.#startedTask,
        failure,
        cause,
      },
    } as unknown as HistoryEvent);
    this.#task = 'none';
    this.#flush();
    // A real server waits longer and longer.
    setTimeout(() => this.scheduleTask(), 200);
    this.#around.changed();
  }

  completeTask({ commands = [], sdkMetadata, identity }: Completed): void {
    const taskCompleted = this.#append(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, {
      workflowTaskCompletedEventAttributes: {
        scheduledEventId: this.#scheduledTask,
        startedEventId: this.#startedTask,
        identity,
        sdkMetadata,
      },
    } as unknown as HistoryEvent);
    this.#previousStarted = this.#startedTask;
    for (const command of commands ?? []) this.#obey(command, taskCompleted);
    this.#endTask();
  }

  /** Stands for a signal or a request to cancel. */
  signal(signalName: string, input: Payloads | null | undefined): void {
    this.tell(() =>
      this.#append(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, {
        workflowExecutionSignaledEventAttributes: { signalName, input: input ?? null },
      }),
    );
  }

  requestCancel(): void {
    this.tell(() =>
      this.#append(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED, {
        workflowExecutionCancelRequestedEventAttributes: { cause: 'asked' },
      }),
    );
  }

  closeActivity(
    activity: Activity,
    how: { result: Payloads | null } | { failure: Failure } | { canceled: true },
  ): void {
    const { scheduledEventId } = activity;
    clearTimeout(activity.watchdog);
    if (!this.activities.delete(scheduledEventId)) return;
    this.tell(() => {
      const startedEventId = this.#append(EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED, {
        activityTaskStartedEventAttributes: { scheduledEventId, attempt: activity.attempt, requestId: randomUUID() },
      } as unknown as HistoryEvent);
      const at = { scheduledEventId, startedEventId };
      if ('result' in how) {
        this.#append(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, {
          activityTaskCompletedEventAttributes: { ...at, result: how.result },
        } as unknown as HistoryEvent);
      } else if ('failure' in how) {
        this.#append(EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED, {
          activityTaskFailedEventAttributes: { ...at, failure: how.failure },
        } as unknown as HistoryEvent);
      } else {
        this.#append(EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED, {
          activityTaskCanceledEventAttributes: at,
        } as unknown as HistoryEvent);
      }
    });
  }

  close(): void {
    this.isClosed = true;
    for (const { timeout } of this.#timers.values()) clearTimeout(timeout);
    for (const { watchdog } of this.activities.values()) clearTimeout(watchdog);
    this.#around.changed();
  }

  #endTask(): void {
    this.#task = 'none';
    if (this.isClosed) return;
    if (this.#flush()) this.scheduleTask();
    this.#around.changed();
  }

  #flush(): boolean {
    const waiting = this.#buffered;
    this.#buffered = [];
    for (const write of waiting) write();
    return waiting.length > 0;
  }

  #obey(command: Command, taskCompleted: number): void {
    const at = { workflowTaskCompletedEventId: taskCompleted };
    const write: Write = (type, attributes) =>
      this.#append(type, { ...attributes, userMetadata: command.userMetadata } as HistoryEvent);
    const close = (type: number, attributes: object) => {
      write(type, attributes);
      this.close();
    };
    const obeyed: { [type: number]: (() => void) | undefined } = {
      [CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK]: () =>
        this.#schedule({ ...command.scheduleActivityTaskCommandAttributes, ...at } as unknown as Scheduled, write),
      [CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK]: () =>
        this.#cancelActivity(
          Number(command.requestCancelActivityTaskCommandAttributes?.scheduledEventId),
          (scheduledEventId) =>
            write(EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED, {
              activityTaskCancelRequestedEventAttributes: { ...at, scheduledEventId },
            }),
        ),
      [CommandType.COMMAND_TYPE_START_TIMER]: () => this.#startTimer({ ...command.startTimerCommandAttributes }, write),
      [CommandType.COMMAND_TYPE_CANCEL_TIMER]: () => {
        const { timerId } = command.cancelTimerCommandAttributes ?? {};
        const timer = this.#timers.get(timerId ?? '');
        clearTimeout(timer?.timeout);
        write(EventType.EVENT_TYPE_TIMER_CANCELED, {
          timerCanceledEventAttributes: { ...at, timerId, startedEventId: timer?.id },
        });
      },
      [CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION]: () =>
        close(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, {
          workflowExecutionCompletedEventAttributes: { ...command.completeWorkflowExecutionCommandAttributes, ...at },
        }),
      [CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION]: () =>
        close(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, {
          workflowExecutionFailedEventAttributes: { ...command.failWorkflowExecutionCommandAttributes, ...at },
        }),
      [CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION]: () =>
        close(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, {
          workflowExecutionCanceledEventAttributes: { ...command.cancelWorkflowExecutionCommandAttributes, ...at },
        }),
      [CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION]: () => {
        const given = command.continueAsNewWorkflowExecutionCommandAttributes ?? {};
        close(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, {
          workflowExecutionContinuedAsNewEventAttributes: {
            ...given,
            ...at,
            newExecutionRunId: this.#continued(given).runId,
            initiator: ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_WORKFLOW,
          },
        });
      },
    };
    const obey = obeyed[Number(command.commandType)];
    if (!obey) throw new Error(`The stand-in does not know command ${String(command.commandType)}.`);
    obey();
  }

  #schedule(attributes: Scheduled, write: Write): void {
    const scheduledEventId = write(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, {
      activityTaskScheduledEventAttributes: attributes,
    });
    const activity: Activity = {
      execution: this,
      scheduledEventId,
      attributes,
      attempt: 1,
      startedAt: undefined,
      cancelRequested: false,
      lastFailure: undefined,
      watchdog: undefined,
    };
    this.activities.set(scheduledEventId, activity);
    this.#around.scheduled(activity);
  }

  #cancelActivity(scheduledEventId: number, write: (scheduledEventId: number) => void): void {
    write(scheduledEventId);
    const activity = this.activities.get(scheduledEventId);
    if (!activity) return;
    activity.cancelRequested = true;
    if (activity.startedAt === undefined) this.closeActivity(activity, { canceled: true });
  }

  #startTimer({ timerId, startToFireTimeout }: StartTimer, write: Write): void {
    const id = write(EventType.EVENT_TYPE_TIMER_STARTED, {
      timerStartedEventAttributes: { timerId, startToFireTimeout },
    });
    const { seconds = 0, nanos } = startToFireTimeout ?? {};
    const fire = () =>
      this.tell(() =>
        this.#append(EventType.EVENT_TYPE_TIMER_FIRED, {
          timerFiredEventAttributes: { timerId, startedEventId: id },
        } as unknown as HistoryEvent),
      );
    const timeout = setTimeout(fire, Number(seconds) * 1_000 + (nanos ?? 0) / 1e6);
    this.#timers.set(timerId ?? '', { id, timeout });
  }

  #continued({ workflowType, taskQueue, input, header }: ContinueAsNew): Execution {
    const begin: Begin = {
      workflowType: workflowType ?? null,
      taskQueue: taskQueue ?? this.begin.taskQueue ?? null,
      input: input ?? null,
      header: header ?? null,
      continuedExecutionRunId: this.runId,
    };
    const next = new Execution(this.workflowId, begin, this.#around);
    this.#around.continued(next);
    return next;
  }

  #append(eventType: number, attributes: HistoryEvent): number {
    const eventId = this.events.length + 1;
    this.events.push({ eventId, eventTime: timestamp(), eventType, ...attributes } as unknown as HistoryEvent);
    return eventId;
  }
}

export function timestamp(ms = Date.now()): temporal.api.history.v1.IHistoryEvent['eventTime'] {
  const seconds = Math.floor(ms / 1_000);
  return { seconds, nanos: (ms - seconds * 1_000) * 1e6 } as never;
}
