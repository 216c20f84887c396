// SPDX-License-Identifier: Apache-2.0
// A web application as Spring has it, in an embedded Jetty: a context, injected beans, a dispatcher: java Shop PORT
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.context.support.AnnotationConfigWebApplicationContext;
import org.springframework.web.servlet.DispatcherServlet;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerAdapter;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;

public class Shop {
  public static class Stock {
    private final Map<String, Integer> items = new LinkedHashMap<>();

    public Stock() {
      for (int i = 0; i < 1000; ++i) items.put("item" + i, i);
    }

    public int count(String item) {
      return items.getOrDefault(item, 0);
    }
  }

  @RestController
  public static class StockController {
    private final Stock stock;

    public StockController(Stock stock) {
      this.stock = stock;
    }

    @RequestMapping("/")
    public String root() {
      return "shop\n";
    }

    @RequestMapping("/stock/{item}")
    public String count(@PathVariable("item") String item) {
      return stock.count(item) + "\n";
    }
  }

  public static void main(String[] words) throws Exception {
    AnnotationConfigWebApplicationContext context = new AnnotationConfigWebApplicationContext();
    // No @Configuration: Debian's Spring cannot make the subclasses that it needs with Debian's ASM.
    context.register(
        Stock.class, StockController.class, RequestMappingHandlerMapping.class, RequestMappingHandlerAdapter.class);
    ServletContextHandler handler = new ServletContextHandler();
    handler.addServlet(new ServletHolder(new DispatcherServlet(context)), "/");
    Server server = new Server(new InetSocketAddress("127.0.0.1", Integer.parseInt(words[0])));
    server.setHandler(handler);
    server.start();
    server.join();
  }
}
