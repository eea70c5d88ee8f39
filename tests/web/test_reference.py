"""Each address of the five systems' documents answers: what their clients send, in the shapes that they read."""

from typing import Any

from tests.web.conftest import Serve, Served

DISCOVER: dict[str, Any] = {
    "queue": "business-discovery",
    "type": "discover-with-instagram",
    "data": {
        "businessName": "Downtown Restaurant",
        "location": "New York, NY",
        "businessType": "restaurant",
        "radius": 50,
    },
    "options": {"priority": 5, "attempts": 3, "delay": 0},
}
QUEUE = {
    "name", "description", "isActive", "liveStats", "healthStatus", "processingRate", "averageProcessingTime",
    "lastProcessedAt",
}  # fmt: skip
WHOLE_QUEUE = QUEUE | {
    "totalJobs", "completedJobs", "failedJobs", "activeJobs", "waitingJobs", "delayedJobs", "configuration",
    "lastHealthCheck",
}  # fmt: skip
JOB = {
    "jobId", "queue", "type", "data", "userId", "status", "priority", "attempts", "maxAttempts", "delay", "result",
    "error", "progress", "processingTime", "createdAt", "startedAt", "completedAt", "failedAt",
}  # fmt: skip


def test_a_job_from_its_creation_to_its_retry(serve: Serve) -> None:
    served = serve(consumer=True)
    user = {"x-user-id": "test-user-123"}
    made = served.post("/jobs", {"type": "greet", "data": {"name": "Ada"}}, 201, headers=user)["data"]
    assert made["status"] in ("waiting", "active") and made["createdAt"].endswith("Z")
    served.desk.wait(made["jobId"], timeout=60)
    whole = served.get(f"/jobs/{made['jobId']}", headers=user)
    assert whole["success"] is True and whole["data"].keys() >= JOB
    job = whole["data"]
    assert (job["status"], job["progress"], job["attempts"], job["userId"]) == ("completed", 100, 1, "test-user-123")
    assert job["result"] == {"greeted": "Ada"} and job["completedAt"] and job["processingTime"] >= 0
    assert job["failedAt"] is None and job["error"] is None
    again = served.post(f"/jobs/{made['jobId']}/retry")["data"]
    assert again["jobId"] == made["jobId"]
    served.desk.wait(made["jobId"], timeout=60)
    assert served.post("/api/jobs/retry", {"jobId": made["jobId"], "queueName": "default"})["success"]
    served.desk.wait(made["jobId"], timeout=60)
    history = served.get(f"/jobs/{made['jobId']}/history")["data"]["events"]
    assert [one["event"] for one in history].count("job_completed") == 3
    assert served.get(f"/jobs/{made['jobId']}/logs")["data"][0]["message"] == "hello Ada"


def test_what_failed_says_so_in_one_string(serve: Serve) -> None:
    served = serve(consumer=True)
    id_ = served.post("/jobs", {"type": "refuse"}, 201)["data"]["jobId"]
    served.desk.wait(id_, timeout=60)
    job = served.get(f"/jobs/{id_}")["data"]
    assert (job["status"], job["error"], job["errorDetails"]["type"]) == ("failed", "it never works", "Reject")
    assert job["failedAt"] == job["finished_at"]
    assert [one["jobId"] for one in served.get("/api/v1/jobs?status=failed")["data"]] == [id_]
    assert served.get("/api/jobs/stats")["data"]["deadLetters"] == 1


def test_the_documents_own_job_is_stored_as_it_asks(served: Served) -> None:
    made = served.post("/jobs", DISCOVER, 201)["data"]
    assert made["status"] == "waiting" and made["type"] == "discover-with-instagram"
    job = served.get(f"/jobs/{made['jobId']}")["data"]
    assert (job["priority"], job["maxAttempts"], job["queue"]) == (5, 3, "business-discovery")
    assert served.get(f"/api/v1/jobs/{made['jobId']}/status")["data"]["status"] == "pending"
    gone = served.delete(f"/jobs/{made['jobId']}")["data"]
    assert gone["status"] == "cancelled"
    assert served.delete(f"/jobs/{made['jobId']}", 409)["error"]["code"] == "refused"


def test_options_of_all_systems_are_understood(served: Served) -> None:
    phrase = {"type": "greet", "data": {"name": "a"}, "priority": "high", "delay": 60000, "maxRetries": 7}
    job = served.get(f"/jobs/{served.post('/jobs', phrase, 201)['data']['jobId']}")["data"]
    assert (job["status"], job["state"], job["priority"], job["maxAttempts"]) == ("delayed", "scheduled", 75, 8)
    assert 0 < job["delay"] <= 60_000
    first = served.post("/jobs", {"type": "greet", "data": {"name": "a"}, "options": {"unique": "k"}}, 201)["data"]
    second = served.post("/jobs", {"type": "greet", "data": {"name": "a"}, "unique": "k"}, 200)["data"]
    assert second["existed"] and second["jobId"] == first["jobId"] and not first["existed"]
    after = {"type": "greet", "data": {"name": "b"}, "options": {"after": [first["jobId"]], "timeout": "2m"}}
    child = served.get(f"/jobs/{served.post('/jobs', after, 201)['data']['jobId']}")["data"]
    assert (child["state"], child["status"], child["after"]) == ("blocked", "waiting", [first["jobId"]])
    assert served.get(f"/jobs/{child['jobId']}/why")["data"]["why"]


WRONG: list[tuple[Any, str]] = [
    ({"type": "gret", "data": {}}, "did you mean 'greet'"),
    ({"type": "greet", "data": {"nam": "a"}}, "'nam' is not a parameter"),
    ({"type": "greet", "dat": {}}, "'dat' is not taken, did you mean 'data'"),
    ({"type": "greet", "delay": "soon"}, "not a duration"),
    ({"type": "greet", "attempts": 2, "maxRetries": 2}, "say the same"),
    ({"type": "greet", "delay": 1, "options": {"delay": 2}}, "stands in options and beside them"),
    ({"type": "greet", "options": {"priority": "5000"}}, "is not a priority"),
    ({"type": "greet", "runAt": "tomorrow"}, "is not an instant"),
    ([], "does not fit"),
    ({}, "'type' is missing"),
]


def test_what_is_wrong_is_said_in_one_sentence(served: Served) -> None:
    for body, says in WRONG:
        answer = served.post("/jobs", body, 400)
        assert answer["success"] is False and says in answer["error"]["message"]
    assert served.get("/jobs")["pagination"]["total"] == 0


def test_jobs_of_a_user_page_by_page(served: Served) -> None:
    for user, count in (("ada", 7), ("bob", 2)):
        for number in range(count):
            body = {"type": "greet", "data": {"name": str(number)}, "queue": "instagram-detection"}
            served.post("/jobs", body, 201, headers={"x-user-id": user})
    first = served.get("/jobs/user/ada?page=1&limit=3&status=waiting&queue=instagram-detection")
    assert [job["data"]["name"] for job in first["data"]] == ["6", "5", "4"]
    assert first["pagination"] | {"next": 0} == {
        "page": 1, "limit": 3, "total": 7, "exact": True, "totalPages": 3, "next": 0,
    }  # fmt: skip
    third = served.get("/jobs/user/ada?page=3&limit=3")
    assert [job["data"]["name"] for job in third["data"]] == ["0"] and third["pagination"]["next"] is None
    cursor = served.get(f"/jobs/user/ada?limit=3&cursor={first['pagination']['next']}")
    assert [job["data"]["name"] for job in cursor["data"]] == ["3", "2", "1"]
    assert served.get("/jobs?query=user:bob&page=1&limit=1")["pagination"]["total"] == 2
    assert served.get("/jobs?userId=bob")["pagination"]["total"] == 2
    assert len(served.get("/queues/instagram-detection/jobs?status=waiting&page=1&limit=50")["data"]) == 9
    assert "is not a status" in served.get("/jobs?status=stale", 400)["error"]["message"]
    assert "behind more than" in served.get("/jobs?page=1000000", 400)["error"]["message"]
    assert served.get("/jobs?limit=0", 400) and served.get("/jobs?limit=2&limit=3", 400)


def test_queues(serve: Serve) -> None:
    served = serve(consumer=True)
    assert served.get("/queues")["data"][0].keys() >= QUEUE
    queue = served.get("/queues/business-discovery", headers={"x-user-role": "admin"})["data"]
    assert queue.keys() >= WHOLE_QUEUE
    assert queue["configuration"] == {
        "concurrency": 5, "retryAttempts": 3, "retryDelay": 2000, "removeOnComplete": None, "removeOnFail": None,
    }  # fmt: skip
    assert queue["liveStats"].keys() >= {"waiting", "active", "completed", "failed", "total"}
    paused = served.post("/queues/default/pause", headers={"x-user-id": "ops"})["data"]
    assert paused["isActive"] is False and paused["paused_by"] == "ops"
    assert served.post("/queues/default/resume")["data"]["isActive"] is True
    ids = [served.post("/jobs", {"type": type_, "data": data}, 201)["data"]["jobId"]
           for type_, data in (("greet", {"name": "a"}), ("refuse", {}))]  # fmt: skip
    served.desk.wait(*ids, timeout=60)
    late = served.post("/queues/default/clean", {"olderThan": 86400000, "status": "completed"})["data"]
    assert late == {"queue": "default", "status": "completed", "removed": 0}
    assert served.post("/queues/default/clean")["data"]["removed"] == 1
    metrics = served.get("/queues/default/metrics?hours=24")["data"]
    assert metrics["queue"] == "default" and metrics["window"]["ended"] == 2
    assert served.get("/api/jobs/queues/default")["data"]["failedJobs"] == 1
    assert served.get("/queues/default")["data"]["lastProcessedAt"] is not None
    assert served.delete("/api/jobs/queues/default")["data"]["removed"] == 1
    assert "have not ended" in served.delete("/api/jobs/queues/default?status=waiting", 400)["error"]["message"]
    assert "did you mean 'default'" in served.get("/queues/defalt", 404)["error"]["message"]


def test_the_scheduler(served: Served) -> None:
    body = {
        "queue": "video-analysis",
        "type": "analyze-video-content",
        "data": {"videoId": "video123", "analysisType": "comprehensive"},
        "delayMs": 300000,
    }
    delayed = served.post("/scheduler/delayed", body, 201)["data"]
    assert delayed["status"] == "delayed"
    assert 0 < served.get(f"/jobs/{delayed['jobId']}")["data"]["delay"] <= 300_000
    repeating = {
        "queue": "cleanup",
        "type": "greet",
        "data": {"name": "all"},
        "cronExpression": "0 2 * * *",
        "description": "Daily greeting",
    }
    made = served.post("/scheduler/repeating", repeating, 201, headers={"x-user-role": "admin"})["data"]
    assert (made["name"], made["cron"], made["queue"]) == ("greet", "0 2 * * *", "cleanup") and len(made["next"]) == 5
    assert served.post("/scheduler/repeating", repeating, 409)["error"]["code"] == "refused"
    reminder = {
        "name": "user_reminder",
        "schedule": "0 9 * * *",
        "jobData": {"type": "greet", "data": {"name": "daily_reminder"}},
    }
    served.post("/api/jobs/schedule", reminder, 201)
    stats = served.get("/scheduler/stats")["data"]
    assert stats.keys() == {"scheduledJobsCount", "scheduledJobs", "queueHealth", "uptime", "lastHealthCheck"}
    assert (stats["scheduledJobsCount"], stats["scheduledJobs"]) == (2, ["greet", "user_reminder"])
    assert stats["queueHealth"][0].keys() >= {"name", "healthStatus", "processingRate", "totalJobs"}
    made = served.post("/scheduler/jobs/user_reminder/trigger", status=201)["data"]
    assert served.get(f"/jobs/{made['jobId']}")["data"]["schedule"] == "user_reminder"
    assert served.post("/scheduler/jobs/greet/pause")["data"]["paused_at"] is not None
    assert served.post("/scheduler/jobs/greet/resume")["data"]["paused_at"] is None
    assert served.delete("/scheduler/jobs/user_reminder")["data"]["removed"] is True
    assert [one["name"] for one in served.get("/scheduler/jobs")["data"]] == ["greet"]
    assert served.get("/scheduler/jobs/user_reminder", 404)
    assert served.get("/scheduler/health")["data"]["queues"]
    assert "processingTime" in served.get("/scheduler/metrics")["data"]


def test_health_and_metrics(serve: Serve) -> None:
    served = serve(consumer=True)
    health = served.get("/health")
    assert health.keys() >= {"status", "timestamp", "uptime", "checks", "details", "services"}
    assert health["checks"]["database"] and health["checks"]["queues"] and health["details"]["queues"] > 20
    assert health["details"]["memory"]["usage"].endswith("%")
    assert health["services"]["queues"]["image-generation"] == {"waiting": 0, "active": 0}
    assert served.get("/health/detailed")["details"]["consumers"]["alive"] == 1
    work = served.get("/api/v1/health/jobs")["data"]
    assert (work["status"], work["consumers"], work["workers"]) == ("healthy", 1, 2)
    assert served.get("/api/v1/health/rabbitmq")["data"]["queues"]["upload.normal"]["waiting"] == 0
    found = served.get("/api/v1/jobs/metrics")["data"]
    assert found["metrics"].keys() >= {"total", "pending", "processing", "completed", "failed", "cancelled"}
    assert found["performance"].keys() >= {
        "processingRate", "completionRate", "failureRate", "averageProcessingTime", "averageQueueTime",
        "averageTotalTime",
    }  # fmt: skip
    overview = served.get("/api/jobs/stats/overview")["data"]
    assert overview.keys() >= {"waiting", "active", "completed", "failed", "delayed", "deadLetters", "queues"}
    text = served.client.get("/metrics")
    assert text.headers["content-type"].startswith("text/plain") and "jobdesk_jobs{" in text.text


def test_what_is_done_over_http_is_in_the_audit_log_for_whom_it_was(served: Served) -> None:
    id_ = served.post("/jobs", {"type": "greet", "data": {"name": "a"}}, 201)["data"]["jobId"]
    served.delete(f"/jobs/{id_}", headers={"x-user-id": "eve"})
    served.post("/queues/default/pause")
    own, hers = served.desk.audit()
    assert (hers.user, hers.action, own.action) == ("eve", "cancel", "pause") and own.user == served.desk.actor.user
