"""The development server: TensorFlow Serving's interfaces on exported models, in plain TensorFlow.

HTTP is `aiohttp`, gRPC is `grpcio`, messages are `tensorflow-serving-api`'s, the models run in
TensorFlow: only what joins them is here. Production is TensorFlow Serving itself.
"""
