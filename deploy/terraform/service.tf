resource "google_cloud_run_v2_service" "bot" {
  name     = var.name
  location = var.region

  # Reachable from anywhere, but for nobody who is not named in "operators": `gcloud run services proxy` comes that way.
  ingress = "INGRESS_TRAFFIC_ALL"

  # Counted for the revision that gets the traffic: a replaced one is stopped, and gives the lease to its successor.
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
        # The bot works between requests: without CPU then, it would neither poll nor keep Discord's connection.
        cpu_idle          = false
        startup_cpu_boost = true

        limits = {
          cpu    = "1"
          memory = var.memory
        }
      }

      # Alive, not ready. A new revision waits in standby until the old one gives up the lease, and the old one is only
      # stopped once the new one has passed its startup probe: asked for /ready, the two would wait for each other.
      startup_probe {
        period_seconds    = 2
        timeout_seconds   = 2
        failure_threshold = 30

        http_get {
          path = "/health"
        }
      }

      # Not ready either: a restart cures neither an outage of Discord nor one of the storage.
      liveness_probe {
        period_seconds    = 30
        timeout_seconds   = 5
        failure_threshold = 3

        http_get {
          path = "/health"
        }
      }

      # Every file here is in memory. The database, its log, and for a moment the copy made before an upgrade or restored
      # by a drill lie there: four times the database, beside some 200 MiB for the bot and Litestream, have to fit.
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

      # The newest version, read at each start: a rotated token works from the next start on, and none is stored here.
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
