"""What is behind `benchmarks/delivery.py`: devices, headquarters and a broker, measured."""
