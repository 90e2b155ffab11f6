"""What the commands of ``avdetect`` do, one file each; imported only when the command runs."""
