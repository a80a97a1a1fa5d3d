"""The words that all cards share: phrases, reasons, numbers, times, and text made safe."""
