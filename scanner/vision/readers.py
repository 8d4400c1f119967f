"""The readers by name, for whoever has to know which there are without loading one."""

from typing import Final

LITERT: Final = "litert"
TFLITE_RUNTIME: Final = "tflite-runtime"
PASSPORTEYE: Final = "passporteye"

INTERPRETERS: Final = (LITERT, TFLITE_RUNTIME)
"""What runs our own reader's networks; it is named by that."""

READERS: Final = (*INTERPRETERS, PASSPORTEYE)
"""The names that `scanner.vision.engine.open_reader` takes."""

DEFAULT: Final = LITERT
"""The reader where none is named."""

SECOND_OPINIONS: Final = (PASSPORTEYE, "none")
"""What may be asked where the reader is doubtful."""
