"""What recordings go through on their way: cameras, rooms, channels, codecs. The same for genuine and forged clips."""
