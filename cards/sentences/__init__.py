"""The words that every card shares: phrases, reasons, numbers, times, and text made safe."""
