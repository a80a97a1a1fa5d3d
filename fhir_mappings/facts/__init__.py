"""What is known of a patient: frozen dataclasses, enums and numbers. Imports nothing else of ours."""
