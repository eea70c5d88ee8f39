"""Calling a processor: from context and payload to an outcome; the same in a child and in a thread."""

from jobdesk.core.errors import ConfigError, PayloadError, SecretError
from jobdesk.core.outcome import Completed, Failed, Outcome, failure, of_exception, of_result
from jobdesk.core.processor import Processor
from jobdesk.runtime.context import JobContext
from jobdesk.runtime.messages import Spec


def perform(processor: Processor, context: JobContext, spec: Spec) -> Outcome:
    """Run the processor and understand what it answers; nothing it raises gets past."""
    needs = processor.service_of(spec["data"])
    try:
        answer = processor.call(context, spec["data"], context.privacy)
        outcome = context.privacy.outcome(of_result(context.privacy.sealed(answer)))
        if isinstance(outcome, Completed):
            context.judge(needs, None)
        return outcome
    except PayloadError as error:
        return Failed(failure("PayloadError", str(error), retryable=False))
    except (SecretError, ConfigError) as error:
        return Failed(failure(type(error).__name__, str(error), retryable=False))
    except MemoryError as error:
        limit = spec["memory_limit"] / 1e9
        return Failed(
            failure(
                "MemoryError",
                f"it needed more memory than the {limit:.1f} GB of desk.memory_limit, or of its type {error}".rstrip(),
            )
        )
    except BaseException as error:  # also SystemExit: a job must not end its worker
        context.judge(needs, error)
        said = of_exception(
            error,
            processor.permanent,
            permanent_names=spec.get("permanent", ()),
            retry_on=spec.get("retry_on", ()),
            now=context.now(),
        )
        return context.privacy.outcome(said)
    finally:
        context.flush()
