#!/usr/bin/env bash
# Each `curl` of the five systems' documents, as it stands there: only ids of jobs are those of jobs that exist.
# What leads their ports to the server, and shows its token, is in $CURL_HOME/.curlrc:
#
#   jobdesk serve --port 8420 &
#   mkdir -p /tmp/curls && cat > /tmp/curls/.curlrc <<RC
#   header = "Authorization: Bearer $(cat HOME/http.token)"
#   connect-to = "localhost:3001:127.0.0.1:8420"
#   connect-to = "localhost:3007:127.0.0.1:8420"
#   connect-to = "localhost:3009:127.0.0.1:8420"
#   fail-with-body
#   silent
#   show-error
#   RC
#   CURL_HOME=/tmp/curls tests/web/reference_curls.sh
set -euo pipefail
shows() { jq --exit-status "$1" >/dev/null && echo "ok  $2"; }

# anatome
made=$(curl -X POST http://localhost:3009/jobs \
  -H "Content-Type: application/json" \
  -H "x-user-id: test-user-123" \
  -d '{
    "queue": "business-discovery",
    "type": "discover-competitors", 
    "data": {
      "businessId": "test123",
      "businessName": "Test Restaurant"
    }
  }')
shows '.success and .data.status == "waiting" and .data.queue == "business-discovery"' "anatome: create test job" <<<"$made"
job=$(jq --raw-output .data.jobId <<<"$made")
curl http://localhost:3009/jobs/$job \
  -H "x-user-id: test-user-123" |
  shows '.data.data.business_name == "Test Restaurant" and .data.userId == "test-user-123"' "anatome: get job status"
curl http://localhost:3009/queues/business-discovery \
  -H "x-user-role: admin" |
  shows '.data.liveStats.waiting == 1 and .data.isActive' "anatome: get queue stats"

# snapasset
curl http://localhost:3001/api/jobs/stats/overview | shows '.data.waiting == 1' "snapasset: queue has jobs"
curl http://localhost:3001/api/jobs/$job | shows '.data.status == "waiting"' "snapasset: check specific job"

# upload-service
curl http://localhost:3007/api/v1/health/jobs | shows '.success' "upload: job processor health"
curl http://localhost:3007/api/v1/jobs/metrics | shows '.data.metrics.pending == 1' "upload: job metrics"
curl http://localhost:3007/api/v1/jobs/$job/status | shows '.data.status == "pending"' "upload: specific job status"
curl http://localhost:3007/api/v1/jobs/$job | shows '.data.status == "pending"' "upload: check job status"
curl http://localhost:3007/api/v1/health/jobs | shows '.data.status' "upload: check job processor health"
curl http://localhost:3007/api/v1/jobs/metrics | shows '.data.performance.failureRate == 0' "upload: check job metrics"
curl http://localhost:3007/api/v1/jobs?status=failed | shows '.data == []' "upload: check failed jobs"
curl http://localhost:3007/api/v1/health/rabbitmq | shows '.data.connected' "upload: check queue depth"
curl http://localhost:3007/api/v1/jobs/metrics | shows '.data.performance.processingRate == 0' "upload: processing rate"
curl http://localhost:3007/api/v1/jobs/metrics | jq '.data.metrics' | shows '.total == 1' "upload: all job statuses"
curl http://localhost:3007/api/v1/jobs/$job | jq '.data' | shows '.jobId' "upload: specific job"
curl http://localhost:3007/api/v1/health/jobs | jq '.data' | shows '.metrics.waiting == 1' "upload: processor health"
