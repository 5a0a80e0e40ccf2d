resource "google_cloud_run_v2_service" "bot" {
  name     = var.name
  location = var.region

  # Reachable from anywhere, because `gcloud run services proxy` needs that, but only by those named in "operators".
  ingress = "INGRESS_TRAFFIC_ALL"

  # This counts for the revision that gets the traffic. A replaced revision is stopped and releases the lease.
  scaling {
    min_instance_count = 1
  }

  template {
    service_account       = google_service_account.bot.email
    execution_environment = "EXECUTION_ENVIRONMENT_GEN2"

    scaling {
      max_instance_count = 1
    }

    containers {
      image = var.image

      ports {
        container_port = 8080
      }

      resources {
        # The bot works between requests: without CPU then, it could not poll or keep its connection to Discord.
        cpu_idle          = false
        startup_cpu_boost = true

        limits = {
          cpu    = "1"
          memory = var.memory
        }
      }

      # This asks whether the bot is alive, not ready. A new revision waits in standby until the old one releases the
      # lease, and the old one is stopped only after the new one has passed this probe. With /ready they would wait for
      # each other.
      startup_probe {
        period_seconds    = 2
        timeout_seconds   = 2
        failure_threshold = 30

        http_get {
          path = "/health"
        }
      }

      # This does not ask for /ready either: a restart does not end an outage of Discord or of the storage.
      liveness_probe {
        period_seconds    = 30
        timeout_seconds   = 5
        failure_threshold = 3

        http_get {
          path = "/health"
        }
      }

      # Every file here is in memory: the database, its log, and for a time the copy made before an upgrade or restored
      # by a drill. So there must be room for four times the database and some 200 MiB for the bot and Litestream.
      env {
        name  = "LITESTREAM_PATH"
        value = "/tmp/pinball_bot.db"
      }

      env {
        name  = "LITESTREAM_BUCKET"
        value = google_storage_bucket.backup.name
      }

      dynamic "env" {
        for_each = var.settings

        content {
          name  = env.key
          value = env.value
        }
      }

      # The newest version is read at each start: a rotated token works from then on, and no token is stored here.
      dynamic "env" {
        for_each = var.secrets

        content {
          name = env.key

          value_source {
            secret_key_ref {
              secret  = env.value
              version = "latest"
            }
          }
        }
      }
    }
  }

  depends_on = [
    google_storage_bucket_iam_member.bot,
    google_secret_manager_secret_iam_member.bot,
  ]
}
