#!/usr/bin/env bash
# Checks the subjects of the commits from the one that added this file on: at most 72 characters.
# Git writes the subjects of merges, so they do not count.
set -euo pipefail
export LC_ALL=C.UTF-8 # ${#subject} counts characters, not bytes
cd "$(dirname "$0")/.."

limit=72
this=scripts/check_commit_subjects.sh

skip() {
  echo "Commit subjects: skipped, because $1."
  exit 0
}

command -v git >/dev/null || skip "git is not installed"
git rev-parse --is-inside-work-tree >/dev/null 2>&1 || skip "git finds no repository here"
# In a shallow clone this is the oldest commit there that has the file.
first=$(git log --diff-filter=A --format=%H -- "$this" | tail -n 1)
[ -n "$first" ] || skip "$this is not committed yet"

commits=$(
  git log --no-merges --format='%h %s' "$first..HEAD"
  git log --no-merges --format='%h %s' -1 "$first"
)
checked=0
long=0
while IFS= read -r line; do
  [ -n "$line" ] || continue
  subject=${line#* }
  checked=$((checked + 1))
  if [ "${#subject}" -gt "$limit" ]; then
    long=$((long + 1))
    echo "${line%% *} has ${#subject} characters in its subject: $subject" >&2
  fi
done <<<"$commits"

if [ "$long" -gt 0 ]; then
  echo "A commit's subject may have at most $limit characters: shorten it with git commit --amend or git rebase -i." >&2
  exit 1
fi
echo "Commit subjects: $checked checked, none longer than $limit characters."
