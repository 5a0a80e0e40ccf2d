"""`dispinmap start`: from an empty disk to a running bot, and back to a clean stop."""
