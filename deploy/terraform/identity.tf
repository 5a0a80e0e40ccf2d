resource "google_service_account" "bot" {
  account_id   = var.name
  display_name = "DisPinMap"
  description  = "Reads its own secrets, and reads and writes its own backup. Nothing else."
}

# Only objects: create, read, list, replace and delete them. Neither the bot nor Litestream asks for the bucket itself.
resource "google_storage_bucket_iam_member" "bot" {
  bucket = google_storage_bucket.backup.name
  role   = "roles/storage.objectUser"
  member = google_service_account.bot.member
}

resource "google_secret_manager_secret_iam_member" "bot" {
  for_each = var.secrets

  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.bot.member
}

# Invoker to open the pages, viewer to find them: `gcloud run services proxy` and `describe` look up the service first.
resource "google_cloud_run_v2_service_iam_member" "operators" {
  for_each = { for pair in setproduct(["roles/run.invoker", "roles/run.viewer"], var.operators) : join(" ", pair) => pair }

  name     = google_cloud_run_v2_service.bot.name
  location = google_cloud_run_v2_service.bot.location
  role     = each.value[0]
  member   = each.value[1]
}
