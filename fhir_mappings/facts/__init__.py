"""The known facts of a patient: frozen dataclasses, enums and numbers. They import nothing else of ours."""
