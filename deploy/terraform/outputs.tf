output "url" {
  description = "The bot's pages, for its operators."
  value       = google_cloud_run_v2_service.bot.uri
}

output "service_account" {
  description = "The account that the bot runs as."
  value       = google_service_account.bot.email
}

output "backup" {
  description = "Where the backup is."
  value       = google_storage_bucket.backup.url
}
