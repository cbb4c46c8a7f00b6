"""The development server: TensorFlow Serving's interfaces on exported models, in plain TensorFlow.

HTTP is `aiohttp`, gRPC is `grpcio`, messages are `tensorflow-serving-api`'s, the models run in
TensorFlow: only what joins them is here. Production is TensorFlow Serving itself.

    refusals.py      what a request is refused with, and the limits that it may exceed
    predicting.py    one version: loaded, warmed up, its signatures run
    models.py        which versions are served; watching for new ones
    json_predict.py  requests and answers in JSON
    rest.py          the REST paths
    grpc_server.py   PredictionService and ModelService
    server.py        all of it together, started and stopped
"""
