"""Object storage behind one seam: Google's, Amazon's and their like, and folders."""
