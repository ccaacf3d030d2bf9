# Settings to try Fanfare on this machine, for the shell that reads this file: . examples/local.sh
# Redis is a real one on its usual port. FCM is the simulator, and SQL is a file.
export PATH="$PWD/bin:$PATH"
export REDIS_URL=redis://localhost:6379
export DATABASE_URL=sqlite:fanfare.db                               # or a PostgreSQL of yours
export FANFARE_STORE_TOKEN_QUERY=off FANFARE_STORE_TOKEN_CLEAR=off  # there is no table users here
export FCM_ENDPOINT=http://127.0.0.1:9080/v1 FCM_PROJECT_ID=demo    # the simulator
