"""The development server: TensorFlow Serving's interfaces on exported models, in plain TensorFlow.

Only the adapter is here: HTTP is `waitress`, gRPC is `grpcio` with `tensorflow-serving-api`'s
messages, the models run in TensorFlow. Production is TensorFlow Serving itself.

    refused.py      what a request is refused with
    limits.py       how large a request and its answer may be
    versions.py     one version: its signatures, loaded
    warmup.py       its recorded requests, replayed
    models.py       which versions are served; watching for new ones
    running.py      checks a request against a signature and runs it
    json_predict.py requests and answers in JSON
    rest.py         the REST paths, as a WSGI application
    http_channel.py, http_server.py
                    waitress, answering its own errors in JSON
    tensor_protos.py, grpc_service.py, grpc_server.py
                    PredictionService and ModelService
    server.py       all of it together, started and stopped
"""
