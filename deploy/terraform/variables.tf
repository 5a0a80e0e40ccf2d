variable "project" {
  description = "The project's id."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "Give the project's id (not its name or number): 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "region" {
  description = "Where the bot runs and its backup is kept."
  type        = string
  default     = "us-central1"
}

variable "name" {
  description = "The name of the service and of the account it runs as."
  type        = string
  default     = "dispinmap-bot"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.name))
    error_message = "Use 6 to 30 lower-case letters, digits and hyphens: the service account's name allows no others."
  }
}

variable "image" {
  description = "The image to run, with a tag that is never moved or a digest."
  type        = string

  validation {
    condition     = can(regex("(:[^/:@]+|@sha256:[0-9a-f]{64})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "Name one build of the image, by its version's tag or its digest: with \"latest\" you could not roll back."
  }
}

variable "bucket" {
  description = "The bucket for the backup, which Terraform creates. Its name must be unique in the world."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "Use 3 to 63 lower-case letters, digits, hyphens, underscores and dots."
  }
}

variable "noncurrent_days" {
  description = "Days to keep overwritten and deleted objects of the backup."
  type        = number
  default     = 7

  validation {
    condition     = var.noncurrent_days >= 1 && var.noncurrent_days <= 365
    error_message = "Choose 1 to 365 days."
  }
}

variable "soft_delete_days" {
  description = "Days for which Google can still bring back objects that the bucket no longer keeps, or the bucket itself."
  type        = number
  default     = 7

  validation {
    condition     = var.soft_delete_days == 0 || (var.soft_delete_days >= 7 && var.soft_delete_days <= 90)
    error_message = "Google allows 0 (none) or 7 to 90 days."
  }
}

variable "secrets" {
  description = "Map from a setting to the name of the secret in Secret Manager that holds its value."
  type        = map(string)
  default = {
    DISCORD_TOKEN        = "dispinmap-discord-token"
    PINBALLMAP_API_TOKEN = "dispinmap-pinballmap-token"
  }

  validation {
    condition     = contains(keys(var.secrets), "DISCORD_TOKEN")
    error_message = "The bot cannot start without DISCORD_TOKEN: say which secret holds it."
  }
}

variable "settings" {
  description = "Other settings, which are not secret, such as { LOG_LEVEL = \"DEBUG\" }."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.settings) : !can(regex("TOKEN|WEBHOOK|SECRET|PASSWORD", upper(name)))])
    error_message = "Tokens and webhook addresses belong in Secret Manager: name their secrets in the variable \"secrets\"."
  }
}

variable "memory" {
  description = "Memory of the instance. Files under /tmp count: see service.tf."
  type        = string
  default     = "512Mi"

  validation {
    condition     = can(regex("^([0-9]+Gi|[0-9]+Mi)$", var.memory)) && !can(regex("^([0-9]|[0-9]{2}|[1-4][0-9]{2}|50[0-9]|51[01])Mi$", var.memory))
    error_message = "Write it as 512Mi or 1Gi; the second generation of Cloud Run takes no less than 512Mi."
  }
}

variable "operators" {
  description = "Who may open the bot's pages, such as [\"user:you@example.org\"]. No one else can."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setintersection(var.operators, ["allUsers", "allAuthenticatedUsers"])) == 0
    error_message = "The bot's pages are for its operators: name people, groups or service accounts."
  }
}
