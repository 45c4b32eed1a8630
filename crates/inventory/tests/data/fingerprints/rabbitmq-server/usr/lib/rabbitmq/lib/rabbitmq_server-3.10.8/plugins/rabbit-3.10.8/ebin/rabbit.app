{application, 'rabbit', [
	{description, "RabbitMQ"},
	{vsn, "3.10.8"},
	{id, ""},
	{modules, ['amqqueue','amqqueue_v1','background_gc','code_server